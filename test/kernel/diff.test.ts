import test from 'ava';
import fc from 'fast-check';
import { type DiffInput, diff } from '../../src/kernel/diff.js';
import { type KernelObject, keyOf, type Link, type Sysctl } from '../../src/kernel/objects.js';
import { isOurs } from '../../src/kernel/ownership.js';
import { command } from '../../src/kernel/text.js';
import { FakeKernel } from '../fakes/kernel.js';
import {
  ADDRESS,
  byKey,
  directRoute,
  LINK,
  OWNED,
  peer,
  peerFdb,
  peerNeighbour,
  peerRoute,
} from './objects.js';

type Some = readonly KernelObject[];

function commands(desired: Some, observed: Some, more: Partial<DiffInput> = {}): string[] {
  const input = { desired: byKey(...desired), observed: byKey(...observed), owned: OWNED, ...more };
  return diff(input).changes.map(command);
}

function clashes(desired: Some, observed: Some, more: Partial<DiffInput> = {}): string[] {
  const input = { desired: byKey(...desired), observed: byKey(...observed), owned: OWNED, ...more };
  return diff(input).clashes.map(({ reason }) => reason);
}

const ACCEPT_RA: Sysctl = { kind: 'sysctl', path: 'net/ipv6/conf/flannel.1/accept_ra', value: '0' };
const FORWARD: Sysctl = { kind: 'sysctl', path: 'net/ipv4/ip_forward', value: '1' };

test('an empty kernel gets everything, each after what it needs', (t) => {
  const desired = [...peer(2), ADDRESS, ACCEPT_RA, { ...LINK }];
  t.deepEqual(commands(desired, []), [
    'ip link add flannel.1 address 02:00:00:00:00:01 mtu 1450 type vxlan id 1 dev eth0 local 192.168.9.2 dstport 8472 nolearning && ip link set flannel.1 up',
    'sysctl -w net/ipv6/conf/flannel.1/accept_ra=0',
    'ip address replace 10.5.1.0/32 dev flannel.1',
    'ip neighbour replace 10.5.2.0 lladdr 02:00:00:00:01:02 dev flannel.1 nud permanent',
    'bridge fdb replace 02:00:00:00:01:02 dev flannel.1 dst 192.168.9.2 self permanent',
    'ip route add 10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink proto 76 metric 1002',
  ]);
});

test('nothing is changed where all is as it should be', (t) => {
  const all = [LINK, ADDRESS, FORWARD, ...peer(2), ...peer(3)];
  t.deepEqual(commands(all, all), []);
});

test('a peer that is gone is removed after the others are in place, its route first', (t) => {
  t.deepEqual(commands([LINK, ADDRESS, ...peer(3)], [LINK, ADDRESS, ...peer(2)]), [
    'ip neighbour replace 10.5.3.0 lladdr 02:00:00:00:01:03 dev flannel.1 nud permanent',
    'bridge fdb replace 02:00:00:00:01:03 dev flannel.1 dst 192.168.9.3 self permanent',
    'ip route add 10.5.3.0/24 via 10.5.3.0 dev flannel.1 onlink proto 76 metric 1003',
    'ip route del 10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink proto 76 metric 1002',
    'bridge fdb del 02:00:00:00:01:02 dev flannel.1 dst 192.168.9.2 self permanent',
    'ip neighbour del 10.5.2.0 dev flannel.1',
  ]);
});

test('a peer with a new MAC has its neighbour replaced and its old FDB entry removed', (t) => {
  const moved = { ...peerNeighbour(2), mac: '02:00:00:00:02:02' };
  const entry = { ...peerFdb(2), mac: '02:00:00:00:02:02' };
  t.deepEqual(commands([LINK, moved, entry, peerRoute(2)], [LINK, ...peer(2)]), [
    'ip neighbour replace 10.5.2.0 lladdr 02:00:00:00:02:02 dev flannel.1 nud permanent',
    'bridge fdb replace 02:00:00:00:02:02 dev flannel.1 dst 192.168.9.2 self permanent',
    'bridge fdb del 02:00:00:00:01:02 dev flannel.1 dst 192.168.9.2 self permanent',
  ]);
});

test('a neighbour that is no longer permanent is made permanent again', (t) => {
  const stale = { ...peerNeighbour(2), permanent: false };
  t.deepEqual(commands([LINK, ...peer(2)], [LINK, stale, peerFdb(2), peerRoute(2)]), [
    'ip neighbour replace 10.5.2.0 lladdr 02:00:00:00:01:02 dev flannel.1 nud permanent',
  ]);
});

test('what the kernel can change on a link is changed in place, with one command each', (t) => {
  const vxlan = { ...LINK.vxlan!, local: '192.168.9.7', learning: true };
  const found: Link = { ...LINK, mac: '02:00:00:00:00:99', mtu: 1400, up: false, vxlan };
  t.deepEqual(commands([LINK, ...peer(2)], [found, ...peer(2)]), [
    'ip link set flannel.1 type vxlan id 1 local 192.168.9.2 nolearning && ip link set flannel.1 address 02:00:00:00:00:01 mtu 1450 up',
  ]);
});

for (const [field, value] of Object.entries({ vni: 2, port: 4789, gbp: true })) {
  test(`a vxlan whose ${field} differs is made anew, and all that is on it`, (t) => {
    const found = { ...LINK, vxlan: { ...LINK.vxlan!, [field]: value } };
    const wanted = [LINK, ADDRESS, ACCEPT_RA, ...peer(2)];
    const [first, ...rest] = commands(wanted, [found, ADDRESS, ACCEPT_RA, ...peer(2), ...peer(3)]);
    t.is(first, 'ip link del flannel.1');
    t.deepEqual(rest, commands(wanted, []));
  });
}

test('a route of ours by another link is replaced when its new link is made, a foreign one is a clash', (t) => {
  const wanted = [LINK, ...peer(2)];
  for (const found of [directRoute(2), peerRoute(2, { link: 'flannel.7' })])
    t.is(
      commands(wanted, [found]).at(-1),
      'ip route replace 10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink proto 76 metric 1002',
    );
  const foreign = directRoute(2, { protocol: 4 });
  t.false(commands(wanted, [foreign]).some((text) => text.startsWith('ip route')));
  t.is(clashes(wanted, [foreign]).length, 1);
});

test('a link that is made anew after one event carries all again, whatever the keys', (t) => {
  const found = { ...LINK, vxlan: { ...LINK.vxlan!, vni: 2 } };
  const wanted = [LINK, ADDRESS, ...peer(2)];
  const [, ...rest] = commands(wanted, [found, ADDRESS, ...peer(2)], { keys: [keyOf(LINK)] });
  t.deepEqual(rest, commands(wanted, []));
});

test('a device of another type with our name is a clash, and nothing on it is touched', (t) => {
  const { vxlan: _, ...plain } = LINK;
  const found: Link = { ...plain, type: 'bridge' };
  const [wanted, there] = [
    [LINK, ADDRESS, ACCEPT_RA, ...peer(2)],
    [found, ...peer(3)],
  ];
  t.deepEqual(commands(wanted, there), []);
  t.deepEqual(clashes(wanted, there), [
    'link flannel.1 address 02:00:00:00:00:01 mtu 1450 up type bridge is not ours and is in the way of flannel.1 address 02:00:00:00:00:01 mtu 1450 up type vxlan id 1 dev eth0 local 192.168.9.2 dstport 8472 nolearning: flannel.1 is a device of another kind; rename or remove it',
  ]);
});

test('a sysctl with another value is set, never taken back, and left alone where it does not exist', (t) => {
  t.deepEqual(commands([FORWARD], [{ ...FORWARD, value: '0' }]), ['sysctl -w net/ipv4/ip_forward=1']);
  t.deepEqual(commands([], [FORWARD]), []);
  t.deepEqual(commands([FORWARD], []), []);
});

test('what flanneld left on our device is taken over without a gap', (t) => {
  const left = peerRoute(2, { metric: 0, protocol: 3 });
  t.deepEqual(commands([LINK, ...peer(2)], [LINK, peerNeighbour(2), peerFdb(2), left]), [
    'ip route add 10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink proto 76 metric 1002',
    'ip route del 10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink proto boot',
  ]);
});

test('a host-gw route that flanneld left goes once ours is in place, also when only its key is looked at', (t) => {
  const left = directRoute(2, { metric: 0, protocol: 3 });
  const removal = `ip route del 10.5.2.0/24 via 192.168.9.2 dev eth0 proto boot`;
  t.deepEqual(commands([directRoute(2)], [left]), [
    'ip route add 10.5.2.0/24 via 192.168.9.2 dev eth0 proto 76 metric 1002',
    removal,
  ]);
  const ours = directRoute(2);
  t.deepEqual(commands([ours], [ours, left], { keys: [keyOf(ours)] }), [removal]);
  t.deepEqual(commands([ours], [ours, left], { keys: [keyOf(left)] }), [removal]);
  t.deepEqual(commands([ours], [ours, left], { keys: [keyOf(directRoute(3))] }), []);
});

test('a foreign route that comes before ours is a clash, and is left alone', (t) => {
  const foreign = directRoute(2, { gateway: '192.168.9.77', metric: 100, protocol: 4 });
  t.deepEqual(commands([directRoute(2)], [directRoute(2), foreign]), []);
  t.deepEqual(clashes([directRoute(2)], [directRoute(2), foreign]), [
    'route 10.5.2.0/24 via 192.168.9.77 dev eth0 proto static metric 100 is not ours and is in the way of 10.5.2.0/24 via 192.168.9.2 dev eth0 proto 76 metric 1002: its lower metric puts it before ours',
  ]);
});

test('a foreign route that comes after ours is nobody’s business', (t) => {
  const foreign = directRoute(2, { gateway: '192.168.9.77', metric: 4000, protocol: 4 });
  t.deepEqual(commands([directRoute(2)], [directRoute(2), foreign]), []);
  t.deepEqual(clashes([directRoute(2)], [directRoute(2), foreign]), []);
});

test('a foreign route in our very place is a clash at the start, and put right once the place was ours', (t) => {
  const foreign = directRoute(2, { gateway: '192.168.9.77', protocol: 4 });
  t.deepEqual(commands([directRoute(2)], [foreign]), []);
  t.is(clashes([directRoute(2)], [foreign]).length, 1);
  t.deepEqual(commands([directRoute(2)], [foreign], { held: (key) => key === keyOf(directRoute(2)) }), [
    'ip route replace 10.5.2.0/24 via 192.168.9.2 dev eth0 proto 76 metric 1002',
  ]);
});

test('ours by protocol are only the routes inside our pools', (t) => {
  const [inside, outside] = [directRoute(2), directRoute(2, { destination: '10.6.2.0/24' })];
  t.true(isOurs(inside, OWNED));
  t.false(isOurs(outside, OWNED));
  t.false(isOurs({ ...inside, protocol: 3 }, OWNED));
  t.true(isOurs({ ...outside, link: 'flannel.1', protocol: 3 }, OWNED));
});

test('with keys, only these are looked at', (t) => {
  const keys = peer(2).map(keyOf);
  t.deepEqual(commands([LINK, ...peer(2), ...peer(3)], [LINK, ...peer(4)], { keys }), [
    'ip neighbour replace 10.5.2.0 lladdr 02:00:00:00:01:02 dev flannel.1 nud permanent',
    'bridge fdb replace 02:00:00:00:01:02 dev flannel.1 dst 192.168.9.2 self permanent',
    'ip route add 10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink proto 76 metric 1002',
  ]);
});

/** Any mix of peers, each whole or in parts or altered, with a link that fits, does not, or is not there. */
const anyState = fc
  .tuple(
    fc.constantFrom<Some>(
      [],
      [LINK],
      [{ ...LINK, mtu: 1300 }],
      [{ ...LINK, vxlan: { ...LINK.vxlan!, vni: 9 } }],
    ),
    fc.subarray([2, 3, 4, 5].flatMap(peer)),
    fc.subarray([
      ADDRESS,
      { ...peerNeighbour(6), mac: '02:00:00:00:00:66' },
      peerRoute(7, { metric: 0, protocol: 3 }),
    ]),
    fc.subarray([
      directRoute(8, { metric: 0, protocol: 3 }),
      directRoute(9, { gateway: '192.168.9.77', metric: 5, protocol: 4 }),
    ]),
  )
  .map(([link, onLink, more, foreign]) => [
    ...link,
    ...(link.length > 0 ? [...onLink, ...more] : []),
    ...foreign,
  ]);

test('from any state, one round of changes reaches the desired one, and foreign objects stay', async (t) => {
  const desired = byKey(LINK, ADDRESS, ...[2, 3, 6, 7].flatMap(peer));
  await fc.assert(
    fc.asyncProperty(anyState, async (start) => {
      const uplink = { index: 2, name: 'eth0', mtu: 1500, up: true, addresses: [] };
      const kernel = new FakeKernel([uplink]);
      for (const object of start) kernel.meddle.set(object);
      const { signal } = new AbortController();
      const report = await kernel.apply(
        diff({ desired, observed: await kernel.dump(OWNED, signal), owned: OWNED }).changes,
        signal,
      );
      t.deepEqual(report.failures, []);
      const foreign = start.filter((object) => !isOurs(object, OWNED));
      t.deepEqual(new Map([...kernel.objects].sort()), new Map([...desired, ...byKey(...foreign)].sort()));
    }),
    { verbose: true },
  );
});
