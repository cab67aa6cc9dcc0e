import test from 'ava';
import { poolFullError } from '../../src/lease/pool-full.js';
import { lease, pool, prefix } from './leases.js';

test('a full pool says who holds it, what expires first and how to enlarge it', (t) => {
  const leases = [1, 2, 3, 4, 5].map((n) => lease(`10.5.${n}.0/24`, `192.0.2.${n}`));
  leases.push(lease('10.5.6.0/24', '192.0.2.6', { leaseId: '0' }));
  const seconds = [86_400, 59, 7_380, 61, 86_000];
  const error = poolFullError({
    network: pool('10.5.0.0/16', 24, { min: '10.5.1.0', max: '10.5.8.0' }),
    leases,
    unreadable: 1,
    passedOver: [{ network: prefix('10.5.8.0/24'), text: '10.5.8.0/24 dev docker0' }],
    expiries: seconds.map((secondsLeft, index) => ({ lease: leases[index]!, secondsLeft })),
  });
  t.is(
    error.message,
    'none of the 8 subnets of length /24 from 10.5.1.0 to 10.5.8.0 is free: they are held by 6 leases (1 reservation ' +
      'among them), 1 key whose value cannot be read, this host\'s own "10.5.8.0/24 dev docker0". Unless they are ' +
      'renewed, the first to expire: 10.5.2.0/24 of 192.0.2.2 in 59 s, 10.5.4.0/24 of 192.0.2.4 in 1 min, 10.5.3.0/24 ' +
      'of 192.0.2.3 in 2 h 3 min. Release what is no longer used, or enlarge the pool in the network config: a wider ' +
      'Network than 10.5.0.0/16, SubnetMin and SubnetMax further apart, or a SubnetLen over 24.',
  );
  t.true(error.retryable);
});
