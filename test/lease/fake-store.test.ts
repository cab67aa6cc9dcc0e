import test from 'ava';
import { leaseStoreContract } from '../contract/lease-store.js';
import { FakeEtcd, FakeLeaseStore } from '../fakes/lease-store.js';

leaseStoreContract(test, async () => {
  const etcd = new FakeEtcd();
  const store = new FakeLeaseStore(etcd);
  return {
    store,
    setConfig: async (text) => {
      etcd.config = text;
    },
    put: async (key, text) => {
      etcd.put(key, text);
    },
    remove: async (key) => etcd.remove(key),
    expire: async (leaseId) => etcd.revoke(leaseId),
    compact: async () => etcd.compact(),
    cut: async () => store.cut(),
    mend: async () => store.mend(),
    close: async () => store.close(),
  };
});
