/** What the reconciler does about the udp backend's device, as commands. */
import test from 'ava';
import { diff } from '../../src/kernel/diff.js';
import type { Ownership } from '../../src/kernel/kernel.js';
import type { Address, KernelObject, Link, Route } from '../../src/kernel/objects.js';
import { command } from '../../src/kernel/text.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { byKey } from './objects.js';

const owned: Ownership = {
  links: ['flannel0'],
  pools: [parsePrefix('10.5.0.0/16')!],
  uplink: 'eth0',
  sysctls: [],
};
const tun: Link = { kind: 'link', name: 'flannel0', mac: '', mtu: 1472, up: true, type: 'tun' };
const address: Address = { kind: 'address', link: 'flannel0', address: '10.5.1.0/32' };
const route: Route = {
  kind: 'route',
  destination: '10.5.0.0/16',
  metric: 0,
  type: 'unicast',
  link: 'flannel0',
  onlink: false,
  protocol: 76,
};
const desired = byKey(tun, address, route);

function difference(...observed: readonly KernelObject[]) {
  const { changes, clashes } = diff({ desired, observed: byKey(...observed), owned });
  return { commands: changes.map(command), clashes: clashes.map(({ reason }) => reason) };
}

test('a tun is made with what is on it', (t) => {
  t.deepEqual(difference(), {
    commands: [
      'ip tuntap add mode tun vnet_hdr multi_queue dev flannel0 && ip link set flannel0 mtu 1472 up',
      'ip address replace 10.5.1.0/32 dev flannel0',
      'ip route add 10.5.0.0/16 dev flannel0 proto 76',
    ],
    clashes: [],
  });
});

test('a tun that is there is kept; its MTU and its being down are mended in place', (t) => {
  t.deepEqual(difference(tun, address, route).commands, []);
  t.deepEqual(difference({ ...tun, mtu: 1500, up: false }, address, route).commands, [
    'ip link set flannel0 mtu 1472 up',
  ]);
});

test("what a flanneld put on the device becomes ours, and another network's address goes", (t) => {
  const theirs = { ...route, protocol: 3 };
  const old = { ...address, address: '10.5.9.0/32' };
  t.deepEqual(difference(tun, old, theirs).commands, [
    'ip address replace 10.5.1.0/32 dev flannel0',
    'ip route replace 10.5.0.0/16 dev flannel0 proto 76',
    'ip address del 10.5.9.0/32 dev flannel0',
  ]);
});

test('a device of another type with that name is a clash, and nothing on it is touched', (t) => {
  const { commands, clashes } = difference({ ...tun, mac: '02:00:00:00:00:01', type: 'bridge' });
  t.deepEqual(commands, []);
  t.regex(clashes.join(), /type bridge is not ours .*flannel0 is a device of another kind/);
});

test('a foreign route for the whole pool is a clash', (t) => {
  const { clashes } = difference(tun, address, { ...route, link: 'eth0', protocol: 4 });
  t.regex(clashes.join(), /10\.5\.0\.0\/16 dev eth0 proto static is not ours/);
});
