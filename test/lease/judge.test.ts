import test from 'ava';
import { type JudgeContext, judge, type RefusalKind } from '../../src/lease/judge.js';
import { attributes, lease, pool, prefix } from './leases.js';

const context: JudgeContext = {
  network: pool('10.5.0.0/16', 24),
  subnet: prefix('10.5.1.0/24'),
  publicIp: '192.0.2.1',
  uplinkNetworks: [prefix('192.0.2.0/24'), prefix('10.5.77.0/24')],
  leaseType: 'host-gw',
  guarded: [
    { address: prefix('10.5.3.3/32').address, text: '10.5.3.3, a DNS server' },
    { address: prefix('10.5.9.1/32').address, text: '10.5.9.1, the default gateway' },
  ],
  markOf: () => undefined,
  markFor: () => undefined,
  refusal: ({ attributes }) => (attributes.backendData === 'bad' ? 'its data is bad' : undefined),
};

test("a peer's lease of our backend's type is ok", (t) => {
  t.deepEqual(judge(lease('10.5.2.0/24', '192.0.2.2'), context), { verdict: 'ok' });
  t.deepEqual(judge(lease('10.5.16.0/20', '203.0.113.9'), context), { verdict: 'ok' });
});

test('the lease of our subnet is our own, whatever it says', (t) => {
  t.deepEqual(judge(lease('10.5.1.0/24', '192.0.2.1'), context), { verdict: 'own' });
  t.deepEqual(judge(lease('10.5.1.0/24', '192.0.2.66'), context), { verdict: 'own' });
});

test('a lease of our subnet with an IPv6 half is not our own', (t) => {
  t.deepEqual(judge(lease('10.5.1.0/24', '192.0.2.66', { subnetV6: 'fd00::/64' }), context), {
    verdict: 'refused',
    kind: 'this-host',
    reason: 'overlaps our subnet 10.5.1.0/24',
  });
});

test('a backend that takes any type takes any', (t) => {
  const taken = judge(
    lease('10.5.2.0/24', '192.0.2.2', { attributes: attributes('192.0.2.2', { backendType: 'x' }) }),
    { ...context, leaseType: undefined },
  );
  t.deepEqual(taken, { verdict: 'ok' });
});

test('without a subnet and a public IP of ours, what does not need them is judged still', (t) => {
  const onlooker = { ...context, subnet: undefined, publicIp: undefined };
  t.deepEqual(judge(lease('10.5.1.0/24', '192.0.2.1'), onlooker), { verdict: 'ok' });
  t.is(judge(lease('10.6.1.0/24', '192.0.2.1'), onlooker).verdict, 'refused');
});

const refused: [
  kind: RefusalKind,
  subnet: string,
  publicIp: string,
  reason: string,
  more?: Parameters<typeof attributes>[1],
][] = [
  ['subnet', '10.6.2.0/24', '192.0.2.2', 'outside the pool 10.5.0.0/16'],
  ['subnet', '10.0.0.0/8', '192.0.2.2', 'outside the pool 10.5.0.0/16'],
  ['this-host', '10.5.3.0/24', '192.0.2.2', 'takes 10.5.3.3, a DNS server'],
  ['this-host', '10.5.8.0/21', '192.0.2.2', 'takes 10.5.9.1, the default gateway'],
  ['subnet', '10.5.2.7/24', '192.0.2.2', 'has host bits, 10.5.2.0/24 has none'],
  ['this-host', '10.5.1.128/25', '192.0.2.2', 'overlaps our subnet 10.5.1.0/24'],
  ['this-host', '10.5.0.0/20', '192.0.2.2', 'overlaps our subnet 10.5.1.0/24'],
  ['this-host', '10.5.76.0/23', '192.0.2.2', "overlaps the uplink's network 10.5.77.0/24"],
  ['public-ip', '10.5.2.0/24', '192.0.2.1', 'public IP 192.0.2.1 is our own'],
  ['public-ip', '10.5.2.0/24', '192.0.2.255', "public IP 192.0.2.255 is not a host's in 192.0.2.0/24"],
  ['public-ip', '10.5.2.0/24', '192.0.2.0', "public IP 192.0.2.0 is not a host's in 192.0.2.0/24"],
  ['public-ip', '10.5.2.0/24', '10.5.2.9', 'public IP 10.5.2.9 lies inside the subnet itself'],
  ['public-ip', '10.5.2.0/24', '0.0.0.0', "public IP 0.0.0.0 is not a host's address"],
  ['public-ip', '10.5.2.0/24', '127.0.0.1', "public IP 127.0.0.1 is not a host's address"],
  ['public-ip', '10.5.2.0/24', '224.0.0.5', "public IP 224.0.0.5 is not a host's address"],
  ['public-ip', '10.5.2.0/24', '255.255.255.255', "public IP 255.255.255.255 is not a host's address"],
  ['backend', '10.5.2.0/24', '192.0.2.2', 'backend type is vxlan, ours is host-gw', { backendType: 'vxlan' }],
  ['backend', '10.5.2.0/24', '192.0.2.2', 'backend type is not given, ours is host-gw', { backendType: '' }],
  [
    'backend',
    '10.5.2.0/24',
    '192.0.2.2',
    `backend type is "${'x'.repeat(79)}…, ours is host-gw`,
    { backendType: 'x'.repeat(1000) },
  ],
  ['backend', '10.5.2.0/24', '192.0.2.2', 'its data is bad', { backendData: 'bad' }],
];
for (const [kind, subnet, publicIp, reason, more] of refused)
  test(`${subnet} of ${publicIp} is refused: ${reason}`, (t) => {
    t.deepEqual(judge(lease(subnet, publicIp, { attributes: attributes(publicIp, more) }), context), {
      verdict: 'refused',
      kind,
      reason,
    });
  });
