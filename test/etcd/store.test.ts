import test from 'ava';
import { leasePath, parseLeaseKey } from '../../src/lease/codec.js';
import { leaseStoreContract } from '../contract/lease-store.js';
import { attributes } from '../lease/leases.js';
import { Relay } from './relay.js';
import { Etcd, hasEtcd, PREFIX } from './server.js';

const etcdTest = hasEtcd ? test : test.skip;

etcdTest('more than an answer holds, in values of a megabyte, is listed and followed', async (t) => {
  const etcd = await Etcd.start();
  const store = await etcd.store();
  const end = new AbortController();
  t.teardown(async () => {
    end.abort();
    store.close();
    await etcd.stop();
  });
  const { revision } = await store.snapshot(end.signal);
  const big = attributes('192.0.2.1', { identity: 'x'.repeat(1_000_000) });
  const keys = Array.from({ length: 40 }, (_, at) => `10.5.${at + 1}.0-24`);
  for (const key of keys) t.true(await store.reserve(parseLeaseKey(key)!.subnet, big, undefined, end.signal));

  const { skipped } = await store.snapshot(end.signal);
  t.deepEqual(skipped.map(({ key }) => key).sort(), keys.toSorted());
  const followed = new Set<string>();
  for await (const updates of store.watch(revision, end.signal)) {
    for (const update of updates) if (update.kind === 'skipped') followed.add(update.skipped.key);
    if (followed.size === keys.length) break;
  }
  t.pass();
});

leaseStoreContract(etcdTest, async () => {
  const etcd = await Etcd.start();
  const relay = await Relay.to(etcd.address);
  const store = await etcd.store({ endpoints: `http://${relay.address}` });
  const control = async (...args: string[]) => {
    await etcd.control(...args);
  };
  return {
    store,
    setConfig: (text) => control('put', `${PREFIX}/config`, text),
    put: (key, text) => control('put', leasePath(PREFIX, key), text),
    remove: (key) => control('del', leasePath(PREFIX, key)),
    expire: (leaseId) => control('lease', 'revoke', BigInt(leaseId).toString(16)),
    compact: () => etcd.compact(),
    cut: () => relay.cut(),
    mend: () => relay.mend(),
    close: async () => {
      store.close();
      await relay.cut();
      await etcd.stop();
    },
  };
});
