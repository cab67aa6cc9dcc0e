import test from 'ava';
import { leasePath } from '../../src/lease/codec.js';
import { leaseStoreContract } from '../contract/lease-store.js';
import { Relay } from './relay.js';
import { Etcd, hasEtcd, PREFIX } from './server.js';

leaseStoreContract(hasEtcd ? test : test.skip, async () => {
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
