import test from 'ava';
import { pino } from 'pino';
import { PoolFullError, StoreUnavailableError } from '../../src/errors.js';
import { type AcquireInput, acquire } from '../../src/lease/acquire.js';
import { encodeAttributes } from '../../src/lease/codec.js';
import type { LeaseAttributes } from '../../src/lease/lease.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { hurriedClock } from '../fakes/clock.js';
import { FakeEtcd, FakeLeaseStore } from '../fakes/lease-store.js';
import { attributes, host, pool, prefix } from './leases.js';

const TTL = 86_400;
const network = pool('10.5.0.0/16', 24);
const HOST = '192.0.2.1';

interface Setup {
  readonly etcd: FakeEtcd;
  readonly store: FakeLeaseStore;
  readonly input: AcquireInput;
  readonly lines: Record<string, unknown>[];
}

function setup(more: Partial<AcquireInput> = {}, etcd = new FakeEtcd()): Setup {
  const store = new FakeLeaseStore(etcd);
  const lines: Record<string, unknown>[] = [];
  const self = more.host ?? host(HOST);
  const input: AcquireInput = {
    store,
    network,
    host: self,
    previousSubnet: undefined,
    forbidden: [],
    attributesFor: () => attributes(self.publicIp),
    ttlSeconds: TTL,
    random: Math.random,
    clock: hurriedClock,
    log: pino({ level: 'debug' }, { write: (line) => lines.push(JSON.parse(line)) }),
    signal: new AbortController().signal,
    ...more,
  };
  return { etcd, store, input, lines };
}

function write(
  etcd: FakeEtcd,
  key: string,
  data: LeaseAttributes,
  ttlSeconds: number | undefined = TTL,
): void {
  etcd.put(key, encodeAttributes(data), ttlSeconds === undefined ? '0' : etcd.grant(ttlSeconds));
}

/** A reservation: no etcd lease. */
function reserve(etcd: FakeEtcd, key: string, data: LeaseAttributes): void {
  etcd.put(key, encodeAttributes(data));
}

async function acquired(input: AcquireInput): Promise<string> {
  return formatPrefix((await acquire(input)).lease.subnet);
}

test('a new host gets a free subnet, and the snapshot it was chosen from', async (t) => {
  const { etcd, input } = setup();
  write(etcd, '10.5.7.0-24', attributes('192.0.2.7'));
  const { lease, snapshot } = await acquire(input);
  t.is(lease.subnet.length, 24);
  t.is(snapshot.revision, 2);
  t.deepEqual([...snapshot.leases.keys()], ['10.5.7.0-24']);
  t.is(etcd.entries.size, 2);
});

test('the lease with our public IP is kept alive and not written', async (t) => {
  const { etcd, store, input } = setup({ previousSubnet: prefix('10.5.8.0/24') });
  write(etcd, '10.5.7.0-24', attributes(HOST));
  const { revision } = etcd;
  t.is(await acquired(input), '10.5.7.0/24');
  t.is(etcd.revision, revision);
  t.deepEqual(store.calls, ['snapshot', 'keepAlive']);
});

test('attributes that changed are published on the same etcd lease', async (t) => {
  const { etcd, store, input } = setup({ attributesFor: () => attributes(HOST, { identity: 'me' }) });
  write(etcd, '10.5.7.0-24', attributes(HOST));
  const before = etcd.entries.get('10.5.7.0-24')!;
  const { lease } = await acquire(input);
  t.is(lease.leaseId, before.leaseId);
  t.is(lease.createRevision, before.createRevision);
  t.is(etcd.entries.get('10.5.7.0-24')!.text, encodeAttributes(attributes(HOST, { identity: 'me' })));
  t.deepEqual(store.calls, ['snapshot', 'keepAlive', 'publish']);
});

test('a lease of another length of time is granted anew, without losing the key', async (t) => {
  const { etcd, input } = setup({ ttlSeconds: 600 });
  write(etcd, '10.5.7.0-24', attributes(HOST));
  const { lease } = await acquire(input);
  t.is(etcd.grants.get(lease.leaseId)!.ttlSeconds, 600);
  t.is(etcd.entries.get('10.5.7.0-24')!.leaseId, lease.leaseId);
  t.false(etcd.history.some(({ update }) => update.kind === 'delete'));
});

test('of several leases with our public IP the one with our identity is kept', async (t) => {
  const { etcd, input } = setup({ host: host(HOST, { identity: 'me' }) });
  write(etcd, '10.5.7.0-24', attributes(HOST, { identity: 'another' }));
  write(etcd, '10.5.8.0-24', attributes(HOST, { identity: 'me' }));
  t.is(await acquired(input), '10.5.8.0/24');
});

test('a lease that expires while it is taken up is claimed again', async (t) => {
  const { etcd, store, input } = setup();
  write(etcd, '10.5.7.0-24', attributes(HOST));
  const keepAlive = store.keepAlive.bind(store);
  store.keepAlive = (leaseId, signal) => {
    etcd.advance(TTL);
    return keepAlive(leaseId, signal);
  };
  t.is(await acquired(input), '10.5.7.0/24');
});

for (const [key, why] of [
  ['10.6.7.0-24', 'outside the pool'],
  ['10.5.0.0-24', 'before SubnetMin'],
  ['10.5.7.0-25', 'of another length'],
  ['10.5.7.7-24', 'with host bits'],
  ['10.5.7.0-24&fd00:5:7::-64', 'of a dual-stack network'],
] as const)
  test(`a lease of ours ${why} is released, and another subnet taken`, async (t) => {
    const { etcd, input } = setup();
    write(etcd, key, attributes(HOST));
    const { lease } = await acquire(input);
    t.false(etcd.entries.has(key));
    t.true(lease.subnet.length === 24 && lease.subnetV6 === undefined);
    t.is(etcd.entries.size, 1);
  });

test('a subnet that our own useless lease blocked can be taken', async (t) => {
  const one = pool('10.5.0.0/16', 24, { min: '10.5.7.0', max: '10.5.7.0' });
  const { etcd, input } = setup({ network: one });
  write(etcd, '10.5.7.0-25', attributes(HOST));
  t.is(await acquired(input), '10.5.7.0/24');
});

test('a reservation is used, keeps its key without an etcd lease, and tells our attributes', async (t) => {
  const data = attributes(HOST, { backendType: 'vxlan', backendData: { VNI: 1 } });
  const { etcd, input } = setup({ attributesFor: () => data });
  reserve(etcd, '10.5.7.0-24', attributes(HOST, { backendType: '' }));
  const { lease } = await acquire(input);
  t.is(formatPrefix(lease.subnet), '10.5.7.0/24');
  t.is(lease.leaseId, '0');
  t.deepEqual(etcd.entries.get('10.5.7.0-24'), {
    text: encodeAttributes(data),
    leaseId: '0',
    createRevision: 2,
    modRevision: 3,
  });
  t.is(etcd.grants.size, 0);
});

test('a reservation for us that does not fit is left alone, and told', async (t) => {
  const { etcd, input, lines } = setup();
  reserve(etcd, '10.6.7.0-24', attributes(HOST));
  await acquire(input);
  t.true(etcd.entries.has('10.6.7.0-24'));
  t.like(lines[0], { level: 40, subnet: '10.6.7.0/24' });
});

test('the subnet we had before is claimed, even where our own containers have a route to it', async (t) => {
  const docker = { network: prefix('10.5.8.0/24'), text: '10.5.8.0/24 dev docker0' };
  const { input } = setup({ previousSubnet: prefix('10.5.8.0/24'), forbidden: [docker] });
  t.is(await acquired(input), '10.5.8.0/24');
});

for (const [held, previous, why] of [
  ['10.5.8.0-24', '10.5.8.0/24', 'held by another host'],
  ['10.5.8.128-25', '10.5.8.0/24', 'overlapped by a lease'],
  ['10.5.9.0-24', '10.6.8.0/24', 'outside the pool'],
] as const)
  test(`the subnet we had before is not claimed when it is ${why}`, async (t) => {
    const { etcd, input } = setup({ previousSubnet: prefix(previous) });
    write(etcd, held, attributes('192.0.2.9'));
    t.not(await acquired(input), previous);
  });

test('a free subnet that a network of the host overlaps is passed over with a log line', async (t) => {
  const two = pool('10.5.0.0/16', 24, { min: '10.5.7.0', max: '10.5.8.0' });
  const forbidden = [{ network: prefix('10.5.7.0/26'), text: '10.5.7.0/26 dev eth1 proto static' }];
  const { input, lines } = setup({ network: two, forbidden });
  t.is(await acquired(input), '10.5.8.0/24');
  t.like(lines[0], { route: '10.5.7.0/26 dev eth1 proto static' });
});

test('a claim gives way to an older lease that overlaps', async (t) => {
  const { etcd, store, input } = setup({ previousSubnet: prefix('10.5.8.0/24') });
  const claim = store.claim.bind(store);
  store.claim = (...args) => {
    // Between our snapshot and our claim, another host takes a larger subnet.
    if (etcd.entries.size === 0) write(etcd, '10.5.0.0-20', attributes('192.0.2.9'));
    return claim(...args);
  };
  const { lease } = await acquire(input);
  t.true(lease.subnet.address >= prefix('10.5.16.0/24').address);
  t.is(etcd.entries.size, 2);
});

test('a lease of ours that overlaps an older one is not taken up', async (t) => {
  const { etcd, input } = setup();
  write(etcd, '10.5.0.0-20', attributes('192.0.2.9'));
  write(etcd, '10.5.8.0-24', attributes(HOST));
  const { lease } = await acquire(input);
  t.true(lease.subnet.address >= prefix('10.5.16.0/24').address);
  t.false(etcd.entries.has('10.5.8.0-24'));
});

test('a claim whose answer was lost is found again', async (t) => {
  const { etcd, store, input } = setup();
  const claim = store.claim.bind(store);
  store.claim = (...args) => {
    store.claim = claim;
    store.loseNextAnswer();
    return claim(...args);
  };
  await t.throwsAsync(acquire(input), { instanceOf: StoreUnavailableError });
  const { lease } = await acquire(input);
  t.deepEqual([...etcd.entries.keys()], [formatPrefix(lease.subnet).replace('/', '-')]);
});

for (const hosts of [20, 200])
  test(`${hosts} hosts at once on a pool of ${hosts} get one each, and one more gets none`, async (t) => {
    const etcd = new FakeEtcd();
    const tight = pool('10.5.0.0/16', 24, { min: '10.5.1.0', max: `10.5.${hosts}.0` });
    const inputs = Array.from(
      { length: hosts },
      (_, n) => setup({ network: tight, host: host(`198.51.100.${n}`) }, etcd).input,
    );
    const subnets = await Promise.all(inputs.map(acquired));
    t.is(new Set(subnets).size, hosts);
    etcd.advance(3_600);
    const error = await t.throwsAsync(acquire(setup({ network: tight }, etcd).input), {
      instanceOf: PoolFullError,
    });
    t.regex(error!.message, new RegExp(`none of the ${hosts} subnets .* ${hosts} leases .* in 23 h 0 min`));
  });

test('a key that cannot be read holds its subnet', async (t) => {
  const one = pool('10.5.0.0/16', 24, { min: '10.5.7.0', max: '10.5.7.0' });
  const { etcd, input } = setup({ network: one });
  etcd.put('10.5.7.0-24', 'rubbish');
  const error = await t.throwsAsync(acquire(input), { instanceOf: PoolFullError });
  t.regex(error!.message, /1 key whose value cannot be read/);
});

test('an abort ends it with the reason', async (t) => {
  const reason = new Error('enough');
  const { input } = setup({ signal: AbortSignal.abort(reason) });
  t.is(await t.throwsAsync(acquire(input)), reason);
});
