/** Who gets the lease when two hosts have one public IP, or one identity. */
import test from 'ava';
import { pino } from 'pino';
import { Contact } from '../../src/agent/contact.js';
import { OwnLease } from '../../src/agent/lease/own-lease.js';
import { currentMoment } from '../../src/agent/state/moment.js';
import { StoreDeniedError, StoreUnavailableError, TwinHostError } from '../../src/errors.js';
import { type Acquired, acquire } from '../../src/lease/acquire.js';
import { ANSWER_MS } from '../../src/lease/challenge.js';
import type { Clock } from '../../src/lease/clock.js';
import type { HostMarks, LeaseAttributes } from '../../src/lease/lease.js';
import { LeaseTable } from '../../src/lease/table.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { FakeClock, hurriedClock } from '../fakes/clock.js';
import { FakeEtcd, FakeLeaseStore } from '../fakes/lease-store.js';
import { recordingLog } from '../fakes/log.js';
import { attributes, host, pool, prefix } from './leases.js';

const IP = '10.0.2.15';
const network = pool('10.5.0.0/16', 24);

/** What a host of ours publishes. */
function published({ publicIp, identity, boot }: HostMarks): LeaseAttributes {
  return attributes(publicIp, { identity, boot });
}

function start(
  etcd: FakeEtcd,
  self: HostMarks,
  clock: Clock = hurriedClock,
  store = new FakeLeaseStore(etcd),
): Promise<Acquired> {
  return acquire({
    store,
    network,
    host: self,
    previousSubnet: undefined,
    forbidden: [],
    attributesFor: () => published(self),
    ttlSeconds: 86_400,
    random: Math.random,
    clock,
    log: pino({ level: 'silent' }),
    signal: AbortSignal.timeout(10_000),
  });
}

async function subnetOf(started: Promise<Acquired>): Promise<string> {
  return formatPrefix((await started).lease.subnet);
}

/** A host that has its lease and keeps it, as the daemon does; what it logs. */
async function live(etcd: FakeEtcd, self: HostMarks) {
  const { lease } = await start(etcd, self);
  const store = new FakeLeaseStore(etcd);
  const { log, lines } = recordingLog();
  const stop = new AbortController();
  const own = new OwnLease({
    store,
    lease,
    renewed: currentMoment(),
    attributes: lease.attributes,
    ttlSeconds: 86_400,
    newTtlSeconds: 86_400,
    renewMarginSeconds: 3_600,
    contact: new Contact(log, () => undefined),
    log,
    mayClaim: async () => undefined,
    onChange: () => undefined,
  });
  const table = new LeaseTable();
  const follow = async () => {
    for await (const updates of store.watch(lease.modRevision, stop.signal))
      for (const update of updates) for (const change of table.fold(update)) own.show(change);
  };
  const running = Promise.all([follow(), own.keep(stop.signal)]);
  const die = async () => {
    stop.abort();
    await running;
  };
  return { subnet: formatPrefix(lease.subnet), lines, die };
}

for (const [shared, second] of [
  ['public IP', host(IP, { identity: 'second', boot: 'second' })],
  ['identity', host('10.0.2.16', { identity: 'first', boot: 'second' })],
] as const)
  test(`of two hosts with one ${shared} that claim at the same moment the younger ends, and leaves nothing`, async (t) => {
    const etcd = new FakeEtcd();
    const store = new FakeLeaseStore(etcd);
    const claim = store.claim.bind(store);
    let first: Awaited<ReturnType<typeof live>> | undefined;
    store.claim = async (...wish) => {
      first ??= await live(etcd, host(IP, { identity: 'first', boot: 'first' }));
      return claim(...wish);
    };
    const error = await t.throwsAsync(start(etcd, second, new FakeClock(), store), {
      instanceOf: TwinHostError,
    });
    t.true(error.message.includes(first!.subnet), error.message);
    t.deepEqual([...etcd.entries.keys()], [first!.subnet.replace('/', '-')]);
    await first!.die();
  });

test('who claims at the same moment and is gone at once keeps nobody from starting', async (t) => {
  const etcd = new FakeEtcd();
  const store = new FakeLeaseStore(etcd);
  const claim = store.claim.bind(store);
  store.claim = async (...wish) => {
    if (etcd.entries.size === 0) await start(etcd, host(IP, { identity: 'first', boot: 'first' }));
    return claim(...wish);
  };
  await t.notThrowsAsync(start(etcd, host(IP, { identity: 'second', boot: 'second' }), hurriedClock, store));
});

test('a second host with the public IP of a live one is told which, and nothing has changed', async (t) => {
  const etcd = new FakeEtcd();
  const first = await live(etcd, host(IP, { identity: 'first' }));
  const before = [...etcd.entries].map(([key, { text, leaseId }]) => [key, text, leaseId]);
  const second = host(IP, { identity: 'second' });
  const error = await t.throwsAsync(start(etcd, second, new FakeClock()), { instanceOf: TwinHostError });
  t.true(error.message.startsWith(`the public IP of this host, ${IP}, is also that of another host`));
  for (const part of [first.subnet, 'first', '--public-ip']) t.true(error.message.includes(part), part);
  t.deepEqual(
    [...etcd.entries].map(([key, { text, leaseId }]) => [key, text, leaseId]),
    before,
  );
  t.deepEqual(
    first.lines.map(({ level, host: by }) => [level, by]),
    [['warn', `${IP} second`]],
  );
  await first.die();
});

test('a clone with an address of its own does not take the lease of the live host that it was made from', async (t) => {
  const etcd = new FakeEtcd();
  const original = host('192.0.2.1');
  const first = await live(etcd, original);
  const clone = { ...original, publicIp: '192.0.2.2', boot: 'second' };
  const error = await t.throwsAsync(start(etcd, clone, new FakeClock()), { instanceOf: TwinHostError });
  t.true(error.message.startsWith(`the identity of this host, ${original.identity}, is also that of`));
  t.regex(error.message, /its public IP is 192\.0\.2\.1\. .*delete the file "identity"/);
  await first.die();
});

test('a clone with the address of the live host that it was made from does not take its lease', async (t) => {
  const etcd = new FakeEtcd();
  const first = await live(etcd, host(IP));
  await t.throwsAsync(start(etcd, host(IP, { boot: 'second' }), new FakeClock()), {
    instanceOf: TwinHostError,
  });
  await first.die();
});

for (const [what, after] of [
  ['was set up anew', host(IP, { identity: 'anew', boot: 'second' })],
  ['was booted', host(IP, { boot: 'second' })],
  ['was booted with a new address', { ...host(IP), publicIp: '10.0.2.99', boot: 'second' }],
  ['has a new address', { ...host(IP), publicIp: '10.0.2.99' }],
] as const)
  test(`a host that ${what} keeps its subnet, and says what it is now`, async (t) => {
    const etcd = new FakeEtcd();
    const first = await live(etcd, host(IP));
    await first.die();
    const { lease } = await start(etcd, after);
    t.is(formatPrefix(lease.subnet), first.subnet);
    t.deepEqual(lease.attributes, published(after));
    t.is(etcd.entries.size, 1);
  });

test('a reservation under the old address stays one under the new', async (t) => {
  const etcd = new FakeEtcd();
  const store = new FakeLeaseStore(etcd);
  await store.reserve(prefix('10.5.7.0/24'), published(host(IP)), undefined, AbortSignal.timeout(1_000));
  const { lease } = await start(etcd, { ...host(IP), publicIp: '10.0.2.99' });
  t.is(formatPrefix(lease.subnet), '10.5.7.0/24');
  t.is(lease.leaseId, '0');
  t.is(lease.attributes.publicIp, '10.0.2.99');
});

test("a restart asks nobody, and neither does the first start over a flanneld's lease", async (t) => {
  const etcd = new FakeEtcd();
  const silent = new FakeClock();
  await start(etcd, host(IP), silent);
  const { revision } = etcd;
  await start(etcd, host(IP), silent);
  t.is(etcd.revision, revision);
  const store = new FakeLeaseStore(etcd);
  const flanneld = attributes('192.0.2.7');
  await store.claim(prefix('10.5.7.0/24'), flanneld, 86_400, AbortSignal.timeout(1_000));
  t.is(await subnetOf(start(etcd, host('192.0.2.7'), silent)), '10.5.7.0/24');
});

test('a host that moves to the address of a live one is refused', async (t) => {
  const etcd = new FakeEtcd();
  const first = await live(etcd, host(IP));
  const moving = host('192.0.2.2');
  await start(etcd, moving);
  await t.throwsAsync(start(etcd, { ...moving, publicIp: IP }, new FakeClock()), {
    instanceOf: TwinHostError,
  });
  await first.die();
});

test('of two newcomers to the address of a dead host one gets its subnet and answers the other', async (t) => {
  const etcd = new FakeEtcd();
  const dead = await live(etcd, host(IP, { identity: 'dead' }));
  await dead.die();
  const clock = new FakeClock();
  const one = start(etcd, host(IP, { identity: 'one' }), clock);
  await clock.advance(ANSWER_MS / 3);
  const two = start(etcd, host(IP, { identity: 'two' }), clock);
  const refused = t.throwsAsync(two, { instanceOf: TwinHostError, message: /its identity is one/ });
  await clock.advance(ANSWER_MS - ANSWER_MS / 3);
  const { lease } = await one;
  t.is(formatPrefix(lease.subnet), dead.subnet);
  const lives = await live(etcd, host(IP, { identity: 'one' }));
  await clock.advance(ANSWER_MS / 2);
  await refused;
  await lives.die();
});

test('when etcd goes away while a host is asked, nothing is concluded', async (t) => {
  const etcd = new FakeEtcd();
  await (await live(etcd, host(IP, { identity: 'first' }))).die();
  const store = new FakeLeaseStore(etcd);
  const clock = new FakeClock();
  const started = start(etcd, host(IP, { identity: 'second' }), clock, store);
  const failed = t.throwsAsync(started, { instanceOf: StoreUnavailableError });
  await clock.advance(ANSWER_MS / 2);
  store.cut();
  await failed;
});

test('where a host may not write the lease in doubt, it takes a subnet of its own', async (t) => {
  const etcd = new FakeEtcd();
  const first = await live(etcd, host(IP, { identity: 'first' }));
  await first.die();
  const store = new FakeLeaseStore(etcd);
  store.publish = async () => {
    throw new StoreDeniedError('its role does not permit it');
  };
  t.not(await subnetOf(start(etcd, host(IP, { identity: 'second' }), hurriedClock, store)), first.subnet);
  t.is(etcd.entries.size, 2);
});
