import test from 'ava';
import { pino } from 'pino';
import { PoolFullError } from '../../src/errors.js';
import { acquire } from '../../src/lease/acquire.js';
import { systemClock } from '../../src/lease/clock.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { attributes, host, pool } from '../lease/leases.js';
import { Etcd, hasEtcd } from './server.js';

const HOSTS = 20;

const check = hasEtcd ? test : test.skip;

check(
  `${HOSTS} hosts at once on a pool of ${HOSTS} get one each, one more gets none, and a restart keeps it`,
  async (t) => {
    const etcd = await Etcd.start();
    const network = pool('10.5.0.0/16', 24, { min: '10.5.1.0', max: `10.5.${HOSTS}.0` });
    const start = async (publicIp: string) => {
      const store = await etcd.store();
      try {
        const { lease } = await acquire({
          store,
          network,
          host: host(publicIp),
          previousSubnet: undefined,
          forbidden: [],
          attributesFor: () => attributes(publicIp),
          ttlSeconds: 60,
          random: Math.random,
          clock: systemClock,
          log: pino({ level: 'silent' }),
          signal: new AbortController().signal,
        });
        return formatPrefix(lease.subnet);
      } finally {
        store.close();
      }
    };
    try {
      const addresses = Array.from({ length: HOSTS }, (_, n) => `198.51.100.${n + 1}`);
      const subnets = await Promise.all(addresses.map(start));
      t.is(new Set(subnets).size, HOSTS);
      await t.throwsAsync(start('192.0.2.1'), {
        instanceOf: PoolFullError,
        message: /first to expire: .* in \d+ s/,
      });
      t.deepEqual(await Promise.all(addresses.map(start)), subnets);
    } finally {
      await etcd.stop();
    }
  },
);
