import { rm } from 'node:fs/promises';
import test from 'ava';
import { StoreDeniedError, StoreUnavailableError } from '../../src/errors.js';
import { CALL_MS } from '../../src/lease/etcd-member.js';
import { eventually, Follower } from '../contract/lease-store.js';
import { attributes, prefix } from '../lease/leases.js';
import { makeCertificates, makeClientCertificate } from './certificates.js';
import { Relay } from './relay.js';
import { Etcd, type EtcdSetting, hasEtcd, PREFIX } from './server.js';

const check = hasEtcd ? test : test.skip;
const subnet = prefix('10.5.34.0/24');
const never = new AbortController().signal;

/** An etcd for the length of a test. Stores and relays that the body makes are to be given to `close`. */
async function withEtcd(
  setting: EtcdSetting,
  body: (etcd: Etcd, close: (thing: { close(): void }) => void) => Promise<void>,
): Promise<void> {
  const etcd = await Etcd.start(setting);
  const closing: { close(): void }[] = [];
  try {
    await body(etcd, (thing) => closing.push(thing));
  } finally {
    for (const thing of closing) thing.close();
    await etcd.stop();
  }
}

/** Users as an operator should make them: `flannel` may do what flanneld needs, and no more. */
async function enableAuth(etcd: Etcd): Promise<void> {
  await etcd.control('user', 'add', 'root:root-secret');
  await etcd.control('role', 'add', 'root');
  await etcd.control('user', 'grant-role', 'root', 'root');
  await etcd.control('role', 'add', 'flannel');
  await etcd.control('role', 'grant-permission', 'flannel', 'read', `${PREFIX}/config`);
  await etcd.control(
    'role',
    'grant-permission',
    '--prefix=true',
    'flannel',
    'readwrite',
    `${PREFIX}/subnets`,
  );
  await etcd.control('user', 'add', 'flannel:flannel-secret');
  await etcd.control('user', 'grant-role', 'flannel', 'flannel');
  await etcd.control('user', 'add', 'stranger:stranger-secret');
  await etcd.control('auth', 'enable');
}

check('TLS with the CA alone works', (t) =>
  withEtcd({ tls: 'server' }, async (etcd, close) => {
    const store = await etcd.store({ caFile: etcd.file('ca.crt') });
    close(store);
    t.is((await store.claim(subnet, attributes('192.0.2.1'), 60, never)).kind, 'claimed');
  }),
);

check('TLS with a client certificate works', (t) =>
  withEtcd({ tls: 'client' }, async (etcd, close) => {
    const store = await etcd.store(certificateFlags(etcd));
    close(store);
    t.is((await store.claim(subnet, attributes('192.0.2.1'), 60, never)).kind, 'claimed');
  }),
);

check('a missing client certificate is named as the likely cause', (t) =>
  withEtcd({ tls: 'client' }, async (etcd, close) => {
    const store = await etcd.store({ caFile: etcd.file('ca.crt') });
    close(store);
    const error = await t.throwsAsync(store.snapshot(never), { instanceOf: StoreUnavailableError });
    t.regex(error!.message, /--etcd-certfile and --etcd-keyfile/);
  }),
);

check('a certificate of another address is not accepted', (t) =>
  withEtcd({ tls: 'server' }, async (etcd, close) => {
    const relay = await Relay.to(etcd.address, '127.0.0.2');
    const store = await etcd.store({ endpoints: `https://${relay.address}`, caFile: etcd.file('ca.crt') });
    close(store);
    const error = await t.throwsAsync(store.snapshot(never), { instanceOf: StoreUnavailableError });
    t.regex(error!.message, /IP: 127\.0\.0\.2 is not in the cert's list.*--etcd-cafile/);
    await relay.cut();
  }),
);

check('a certificate of an unknown CA is named as the cause', (t) =>
  withEtcd({ tls: 'server' }, async (etcd, close) => {
    const store = await etcd.store();
    close(store);
    const error = await t.throwsAsync(store.snapshot(never), { instanceOf: StoreUnavailableError });
    t.regex(error!.message, /--etcd-cafile/);
  }),
);

check('plain text to an etcd with TLS is named as the likely cause', (t) =>
  withEtcd({ tls: 'server' }, async (etcd, close) => {
    const store = await etcd.store({ endpoints: `http://${etcd.address}` });
    close(store);
    const error = await t.throwsAsync(store.snapshot(never), { instanceOf: StoreUnavailableError });
    t.regex(error!.message, /https:\/\//);
  }),
);

check('a refused connection is told with its address', async (t) => {
  const etcd = await Etcd.start();
  const store = await etcd.store();
  await etcd.stop();
  const error = await t.throwsAsync(store.snapshot(never), { instanceOf: StoreUnavailableError });
  t.is(error!.message, `etcd at ${etcd.address} does not answer: connect ECONNREFUSED ${etcd.address}`);
  store.close();
});

check('a user with a role limited to the prefix can do all that is needed', (t) =>
  withEtcd({}, async (etcd, close) => {
    await etcd.control('put', `${PREFIX}/config`, '{}');
    await enableAuth(etcd);
    const store = await etcd.store({ username: 'flannel', password: 'flannel-secret' });
    close(store);
    t.is(await store.readConfig(never), '{}');
    const follower = follow(store, await store.snapshot(never), close);
    const result = await store.claim(subnet, attributes('192.0.2.1'), 60, never);
    if (result.kind !== 'claimed') return t.fail();
    await follower.until(({ leases }) => leases.size === 1);
    t.is(await store.keepAlive(result.lease.leaseId, never), 60);
    t.is((await store.timeToLive(result.lease.leaseId, never))!.granted, 60);
    const published = await store.publish(result.lease, attributes('192.0.2.2'), 90, never);
    t.true(await store.release(published!, never));
    await follower.until(({ leases }) => leases.size === 0);
    t.false(follower.updates.some(({ kind }) => kind === 'disconnected'));
  }),
);

check('what the role lacks is told, and no password', (t) =>
  withEtcd({}, async (etcd, close) => {
    await enableAuth(etcd);
    for (const [username, password, wanted] of [
      [
        'stranger',
        'stranger-secret',
        /user "stranger".*readwrite on the prefix \/loden\.test\/network\/subnets/,
      ],
      ['flannel', 'wrong-secret', /user "flannel".*--etcd-username and --etcd-password/],
      ['', '', /--etcd-username and --etcd-password/],
    ] as const) {
      const store = await etcd.store({ username, password });
      close(store);
      const error = await t.throwsAsync(store.snapshot(never), { instanceOf: StoreDeniedError });
      t.regex(error!.message, wanted);
      t.notRegex(error!.stack!, /secret/);
      await t.throwsAsync(store.claim(subnet, attributes('192.0.2.1'), 60, never), {
        instanceOf: StoreDeniedError,
      });
    }
  }),
);

check('a user and a password do no harm where authentication is off, and serve when it is turned on', (t) =>
  withEtcd({}, async (etcd, close) => {
    const store = await etcd.store({ username: 'flannel', password: 'flannel-secret' });
    close(store);
    t.is((await store.snapshot(never)).leases.size, 0);
    await enableAuth(etcd);
    t.is((await store.snapshot(never)).leases.size, 0);
  }),
);

check('a token that etcd has forgotten is renewed, for calls and for the watch', (t) =>
  withEtcd({}, async (etcd, close) => {
    await enableAuth(etcd);
    const store = await etcd.store({ username: 'flannel', password: 'flannel-secret' });
    const other = await etcd.store({ username: 'flannel', password: 'flannel-secret' });
    close(store);
    close(other);
    const follower = follow(store, await store.snapshot(never), close);
    await other.claim(subnet, attributes('192.0.2.1'), 60, never);
    await follower.until(({ leases }) => leases.size === 1);
    // Simple tokens are kept in memory.
    await etcd.halt();
    await etcd.resume('flannel:flannel-secret');
    await eventually(() => other.claim(prefix('10.5.35.0/24'), attributes('192.0.2.2'), 60, never));
    await follower.until(({ leases }) => leases.size === 2);
    t.deepEqual([...follower.table.leases.keys()], ['10.5.34.0-24', '10.5.35.0-24']);
  }),
);

check('certificates that were replaced are used without a restart, also those of a new CA', (t) =>
  withEtcd({ tls: 'client' }, async (etcd, close) => {
    const store = await etcd.store(certificateFlags(etcd));
    close(store);
    const follower = follow(store, await store.snapshot(never), close);
    await etcd.halt();
    await makeCertificates(etcd.folder);
    await etcd.resume();
    await eventually(() => store.claim(subnet, attributes('192.0.2.1'), 60, never));
    await follower.until(({ leases }) => leases.size === 1);
    t.pass();
  }),
);

check('an expired client certificate is named, and the one put in its place is used', (t) =>
  withEtcd({ tls: 'client' }, async (etcd, close) => {
    await makeClientCertificate(etcd.folder, -1);
    const store = await etcd.store(certificateFlags(etcd));
    close(store);
    const expired = /does not accept our client certificate, which expired on 20\d\d-\d\d-\d\d: put another/;
    await eventually(async () => {
      // Depending on the moment etcd says why, or just hangs up.
      const error = await store.snapshot(never).then(
        () => undefined,
        (caught: unknown) => caught,
      );
      if (!(error instanceof StoreDeniedError && expired.test(error.message))) throw error;
    });
    await makeClientCertificate(etcd.folder, 2);
    await eventually(() => store.snapshot(never));
    t.pass();
  }),
);

check('a role that was revoked shows as a refusal, and is well again once it is granted', (t) =>
  withEtcd({}, async (etcd, close) => {
    await enableAuth(etcd);
    const store = await etcd.store({ username: 'flannel', password: 'flannel-secret' });
    close(store);
    const follower = follow(store, await store.snapshot(never), close);
    const role = (verb: string) =>
      etcd.control('--user', 'root:root-secret', 'user', `${verb}-role`, 'flannel', 'flannel');
    await role('revoke');
    await etcd.halt();
    await etcd.resume('root:root-secret');
    const refused = () => follower.updates.some((update) => update.kind === 'disconnected' && update.refused);
    await follower.until(refused);
    t.regex(
      follower.updates.flatMap((update) => (update.kind === 'disconnected' ? update.reason : [])).join(),
      /user "flannel".*readwrite on the prefix/,
    );
    await role('grant');
    await follower.until(
      () =>
        follower.updates.at(-1)?.kind === 'connected' ||
        follower.updates.some(({ kind }) => kind === 'snapshot'),
    );
    await eventually(() => store.claim(subnet, attributes('192.0.2.1'), 60, never));
    await follower.until(({ leases }) => leases.size === 1);
  }),
);

check('a restart of etcd loses no event', (t) =>
  withEtcd({}, async (etcd, close) => {
    const store = await etcd.store();
    close(store);
    const follower = follow(store, await store.snapshot(never), close);
    await etcd.halt();
    await follower.until(() => follower.updates.length === 1);
    await etcd.resume();
    await etcd.control('put', `${PREFIX}/subnets/10.5.34.0-24`, '{"PublicIP":"192.0.2.1"}');
    await follower.until(({ leases }) => leases.size === 1);
    t.deepEqual(
      follower.updates.map(({ kind }) => kind),
      ['disconnected', 'connected', 'put'],
    );
  }),
);

check('an etcd whose history began anew is noticed, and read again', (t) =>
  withEtcd({}, async (etcd, close) => {
    const store = await etcd.store();
    close(store);
    for (const n of [1, 2, 3])
      await etcd.control('put', `${PREFIX}/subnets/10.5.${n}.0-24`, '{"PublicIP":"192.0.2.1"}');
    const follower = follow(store, await store.snapshot(never), close);
    await etcd.halt();
    await rm(etcd.file('data'), { recursive: true });
    await etcd.resume();
    await etcd.control('put', `${PREFIX}/subnets/10.5.9.0-24`, '{"PublicIP":"192.0.2.9"}');
    await follower.until(({ leases }) => leases.size === 1 && leases.has('10.5.9.0-24'));
    t.true(follower.updates.some((update) => update.kind === 'snapshot' && update.restored));
  }),
);

const keyOf = (n: number) => `${PREFIX}/subnets/10.5.${n}.0-24`;
const putLease = (etcd: Etcd, n: number) => etcd.control('put', keyOf(n), `{"PublicIP":"192.0.2.${n}"}`);

for (const [what, before, after] of [
  ['a lease that an event told of', undefined, (etcd: Etcd) => putLease(etcd, 2)],
  ['a lease that a snapshot told of', (etcd: Etcd) => putLease(etcd, 2), undefined],
  ['a deletion', undefined, (etcd: Etcd) => etcd.control('del', keyOf(1))],
] as const)
  check(`a restored etcd is known by ${what}, though others have written to it since`, (t) =>
    withEtcd({}, async (etcd, close) => {
      const relay = await Relay.to(etcd.address);
      const store = await etcd.store({ endpoints: `http://${relay.address}` });
      for (const thing of [store, { close: () => void relay.cut() }]) close(thing);
      await putLease(etcd, 1);
      await etcd.save();
      await before?.(etcd);
      const follower = follow(store, await store.snapshot(never), close);
      await after?.(etcd);
      await follower.until(({ leases }) => leases.size !== 1);
      await relay.cut();
      await etcd.restore();
      for (const n of [7, 8, 9]) await putLease(etcd, n);
      await relay.mend();
      const there = [1, 7, 8, 9].map((n) => `10.5.${n}.0-24`).join();
      await follower.until(({ leases }) => [...leases.keys()].sort().join() === there);
      t.true(follower.updates.some((update) => update.kind === 'snapshot' && update.restored));
    }),
  );

check('a connection that comes back is not taken for another etcd, whatever was seen last', (t) =>
  withEtcd({}, async (etcd, close) => {
    const relay = await Relay.to(etcd.address);
    const store = await etcd.store({ endpoints: `http://${relay.address}` });
    for (const thing of [store, { close: () => void relay.cut() }]) close(thing);
    await putLease(etcd, 1);
    const follower = follow(store, await store.snapshot(never), close);
    const isBack = () => follower.updates.at(-1)?.kind === 'connected';
    for (const change of [
      async () => undefined,
      () => putLease(etcd, 2),
      () => etcd.control('del', keyOf(2)),
      () => putLease(etcd, 1),
    ]) {
      const before = follower.updates.length;
      if (await change()) await follower.until(() => follower.updates.length > before);
      await relay.cut();
      await etcd.control('put', '/elsewhere', 'x');
      await relay.mend();
      await follower.until(isBack);
    }
    t.deepEqual(
      follower.updates.map(({ kind }) => kind).filter((kind) => kind === 'snapshot'),
      [],
    );
  }),
);

check('an etcd that has answered before is not said to speak another language when it goes', (t) =>
  withEtcd({}, async (etcd, close) => {
    const relay = await Relay.to(etcd.address);
    const store = await etcd.store({ endpoints: `http://${relay.address}` });
    close(store);
    const follower = follow(store, await store.snapshot(never), close);
    await etcd.control('put', `${PREFIX}/subnets/10.5.34.0-24`, '{"PublicIP":"192.0.2.1"}');
    await follower.until(({ leases }) => leases.size === 1);
    await relay.cut();
    const gone = await eventually(async () => {
      const update = follower.updates.find(({ kind }) => kind === 'disconnected');
      if (update?.kind !== 'disconnected') throw new Error('not noticed yet');
      return update;
    });
    t.regex(gone.reason, /^etcd at .* does not answer/);
    t.notRegex(gone.reason, /speaks TLS/);
  }),
);

check('a dead member among the endpoints is passed over', (t) =>
  withEtcd({}, async (etcd, close) => {
    const gone = await Relay.to(etcd.address);
    await gone.cut();
    for (let n = 0; n < 6; n++) {
      const store = await etcd.store({ endpoints: `http://${gone.address},${etcd.endpoint}` });
      close(store);
      t.is((await store.snapshot(never)).leases.size, 0);
    }
  }),
);

check('a member that falls silent is left for another', (t) =>
  withEtcd({}, async (etcd, close) => {
    const [one, two] = await Promise.all([Relay.to(etcd.address), Relay.to(etcd.address)]);
    const store = await etcd.store({ endpoints: `http://${one.address},http://${two.address}` });
    close(store);
    const follower = follow(store, await store.snapshot(never), close);
    one.silence();
    await etcd.control('put', `${PREFIX}/subnets/10.5.34.0-24`, '{"PublicIP":"192.0.2.1"}');
    await eventually(() => store.snapshot(never));
    await follower.until(({ leases }) => leases.size === 1);
    await Promise.all([one.cut(), two.cut()]);
    t.pass();
  }),
);

check('a renewal leaves a silent member as soon as its time is over', (t) =>
  withEtcd({}, async (etcd, close) => {
    const relays = await Promise.all([Relay.to(etcd.address), Relay.to(etcd.address)]);
    const store = await etcd.store({ endpoints: relays.map(({ address }) => `http://${address}`).join() });
    for (const thing of [store, ...relays.map((relay) => ({ close: () => void relay.cut() }))]) close(thing);
    const kept = await store.claim(subnet, attributes('192.0.2.1'), 60, never);
    if (kept.kind !== 'claimed') return t.fail();
    for (const silent of relays) {
      silent.silence();
      const begun = performance.now();
      const renewed = () => store.keepAlive(kept.lease.leaseId, never, 300);
      t.is(await eventually(renewed), 60);
      t.true(performance.now() - begun < CALL_MS);
      await silent.cut();
      await silent.mend();
    }
  }),
);

check('a lease that is not renewed expires by itself, and one that is does not', (t) =>
  withEtcd({}, async (etcd, close) => {
    const store = await etcd.store();
    close(store);
    const kept = await store.claim(subnet, attributes('192.0.2.1'), 2, never);
    await store.claim(prefix('10.5.35.0/24'), attributes('192.0.2.2'), 2, never);
    if (kept.kind !== 'claimed') return t.fail();
    const follower = follow(store, await store.snapshot(never), close);
    await eventually(async () => {
      await store.keepAlive(kept.lease.leaseId, never);
      if (follower.table.leases.size > 1) throw new Error('both are there');
    });
    t.deepEqual([...follower.table.leases.keys()], ['10.5.34.0-24']);
  }),
);

check('an abort ends a call that is under way at once', (t) =>
  withEtcd({}, async (etcd, close) => {
    const relay = await Relay.to(etcd.address);
    const store = await etcd.store({ endpoints: `http://${relay.address}` });
    close(store);
    await store.snapshot(never);
    relay.silence();
    const end = new AbortController();
    const reason = new Error('enough');
    const calls = [store.snapshot(end.signal), store.keepAlive('7587', end.signal)];
    const begun = Date.now();
    setImmediate(() => end.abort(reason));
    for (const call of calls) t.is(await t.throwsAsync(call), reason);
    t.true(Date.now() - begun < 1_000);
    await relay.cut();
  }),
);

function certificateFlags(etcd: Etcd) {
  const [caFile, certFile, keyFile] = ['ca.crt', 'client.crt', 'client.key'].map((name) => etcd.file(name));
  return { caFile: caFile!, certFile: certFile!, keyFile: keyFile! };
}

function follow(
  store: ConstructorParameters<typeof Follower>[0],
  snapshot: ConstructorParameters<typeof Follower>[1],
  close: (thing: { close(): void }) => void,
): Follower {
  const end = new AbortController();
  close({ close: () => end.abort() });
  return new Follower(store, snapshot, end.signal);
}
