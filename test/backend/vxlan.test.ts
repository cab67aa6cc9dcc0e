import test from 'ava';
import { vxlan } from '../../src/backend/vxlan/vxlan.js';
import { backendJson } from '../../src/config/network.js';
import { ConfigError, UplinkError } from '../../src/errors.js';
import type { JsonValue } from '../../src/json.js';
import { type KernelObject, keyOf } from '../../src/kernel/objects.js';
import { describe } from '../../src/kernel/text.js';
import { vtepMac } from '../../src/net/mac.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { peerLease, uplink, viewOf } from './views.js';

const optionsOf = (fields: Record<string, JsonValue>) =>
  vxlan.parseOptions(backendJson({ Type: 'vxlan', ...fields }));
const defaults = optionsOf({});
const peer = peerLease('10.5.2.0/24', '192.0.2.2', 'vxlan', { VNI: 1, VtepMAC: '62:0B:5e:5a:51:3d' });
const ownData = { VNI: 1, VtepMAC: '02:00:00:00:00:01' };
const lines = (objects: readonly KernelObject[]) => objects.map(describe);

test('options left out are flannel’s defaults', (t) => {
  t.deepEqual(defaults, {
    vni: 1,
    port: 8472,
    mtu: undefined,
    gbp: false,
    learning: false,
    directRouting: false,
  });
});

for (const [field, value] of [
  ['VNI', '1'],
  ['VNI', 10_000_000],
  ['VNI', 2 ** 24 - 1],
  ['Port', 65536],
  ['MTU', -1],
  ['GBP', 'true'],
  ['DirectRouting', 1],
] as const) {
  test(`${field} ${JSON.stringify(value)} is refused by name`, (t) => {
    const error = t.throws(() => optionsOf({ [field]: value }), {
      instanceOf: ConfigError,
    });
    t.is(error.field, `Backend.${field}`);
    t.true(error.message.includes(JSON.stringify(value)));
  });
}

test('a host has its device, its address, and no router advertisements', (t) => {
  t.deepEqual(lines(vxlan.planSelf(viewOf(defaults, ownData))), [
    'flannel.1 address 02:00:00:00:00:01 mtu 1450 up type vxlan id 1 dev eth0 local 192.0.2.1 dstport 8472 nolearning',
    'net/ipv6/conf/flannel.1/accept_ra=0',
    'net/ipv4/ip_forward=1',
    '10.5.1.0/32 dev flannel.1',
  ]);
});

test('a peer is a neighbour, a forwarding entry and an onlink route', (t) => {
  t.deepEqual(lines(vxlan.planPeer(viewOf(defaults, ownData), peer)), [
    '10.5.2.0 lladdr 62:0b:5e:5a:51:3d dev flannel.1 nud permanent',
    '62:0b:5e:5a:51:3d dev flannel.1 dst 192.0.2.2 self permanent',
    '10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink proto 76 metric 1258',
  ]);
});

test('with DirectRouting an on-link peer is a plain route, and one behind a router is not', (t) => {
  const direct = viewOf(optionsOf({ DirectRouting: true }), ownData);
  t.deepEqual(lines(vxlan.planPeer(direct, peer)), [
    '10.5.2.0/24 via 192.0.2.2 dev eth0 proto 76 metric 1258',
  ]);
  const far = peerLease('10.5.2.0/24', '198.51.100.9', 'vxlan', peer.attributes.backendData);
  t.is(vxlan.planPeer(direct, far).length, 3);
});

test('a new device gets its MAC from the subnet and the VNI', (t) => {
  const input = { options: defaults, uplink, subnet: parsePrefix('10.5.1.0/24')!, observed: new Map() };
  t.deepEqual(vxlan.leaseData(input), { VNI: 1, VtepMAC: vtepMac(input.subnet, 1) });
});

test('a device that is there and fits keeps its MAC; one that does not fit does not', (t) => {
  const [device] = vxlan.planSelf(viewOf(defaults, ownData));
  const data = (observed: KernelObject) =>
    vxlan.leaseData({
      options: defaults,
      uplink,
      subnet: parsePrefix('10.5.1.0/24')!,
      observed: new Map([['link flannel.1', observed]]),
    });
  t.deepEqual(data(device!), ownData);
  t.notDeepEqual(
    data({ ...device!, vxlan: { ...(device as { vxlan: object }).vxlan, port: 4789 } } as KernelObject),
    ownData,
  );
});

test('a device does not keep the MAC that comes with a subnet which this host has no more', (t) => {
  const [before, now] = [parsePrefix('10.5.3.0/24')!, parsePrefix('10.5.1.0/24')!];
  const [device] = vxlan.planSelf(viewOf(defaults, { VNI: 1, VtepMAC: vtepMac(before, 1) }));
  const macOn = (address: string) => {
    const objects: KernelObject[] = [device!, { kind: 'address', link: 'flannel.1', address }];
    const observed = new Map(objects.map((object) => [keyOf(object), object]));
    return vxlan.leaseData({ options: defaults, uplink, subnet: now, observed });
  };
  t.deepEqual(macOn('10.5.3.0/32'), { VNI: 1, VtepMAC: vtepMac(now, 1) });
  t.deepEqual(macOn('10.5.9.0/32'), { VNI: 1, VtepMAC: vtepMac(before, 1) });
});

test('the mark of a new host is the one that follows from its subnet', (t) => {
  const subnet = parsePrefix('10.5.2.0/24')!;
  const data = vxlan.leaseData({ options: defaults, uplink, subnet, observed: new Map() });
  const lease = peerLease('10.5.2.0/24', '192.0.2.2', 'vxlan', data);
  t.is(vxlan.markOf!(lease), vxlan.markFor!(defaults, subnet));
  t.not(vxlan.markOf!(lease), vxlan.markFor!({ ...defaults, vni: 2 }, subnet));
  t.not(vxlan.markOf!(lease), vxlan.markFor!(defaults, parsePrefix('10.5.3.0/24')!));
});

test('peers with one VTEP MAC have one mark', (t) => {
  t.is(vxlan.markOf!(peer), 'VTEP MAC 62:0b:5e:5a:51:3d');
  t.is(vxlan.markOf!(peerLease('10.5.2.0/24', '192.0.2.2', 'vxlan', { VNI: 1 })), undefined);
});

for (const [data, reason] of [
  [undefined, /no VtepMAC/],
  [{ VNI: 1 }, /no VtepMAC/],
  [{ VtepMAC: 'nonsense' }, /no VtepMAC/],
  [{ VtepMAC: '00:00:00:00:00:00' }, /zero or multicast/],
  [{ VtepMAC: '01:00:5e:00:00:01' }, /zero or multicast/],
  [{ VtepMAC: 'ff:ff:ff:ff:ff:ff' }, /zero or multicast/],
] as const) {
  test(`a peer with ${JSON.stringify(data)} is refused`, (t) => {
    t.regex(
      vxlan.refusal(viewOf(defaults), peerLease('10.5.2.0/24', '192.0.2.2', 'vxlan', data)) ?? '',
      reason,
    );
  });
}

test('a peer that claims our own MAC is refused', (t) => {
  const clone = peerLease('10.5.2.0/24', '192.0.2.2', 'vxlan', ownData);
  t.regex(vxlan.refusal(viewOf(defaults, ownData), clone) ?? '', /02:00:00:00:00:01 is our own/);
});

test('a peer without VNI, as old flanneld wrote, is taken', (t) => {
  const old = peerLease('10.5.2.0/24', '192.0.2.2', 'vxlan', { VtepMAC: '62:0b:5e:5a:51:3d' });
  t.is(vxlan.refusal(viewOf(defaults), old), undefined);
});

test('the MTU is 50 less than the uplink’s, or than the configured one', (t) => {
  t.is(vxlan.mtu(defaults, uplink), 1450);
  t.is(vxlan.mtu(optionsOf({ MTU: 1400 }), uplink), 1350);
});

test('an MTU that the uplink cannot carry is cut to its own, as the kernel does', (t) => {
  t.is(vxlan.mtu(optionsOf({ MTU: 9000 }), uplink), 1450);
});

test('the longest device name that a VNI can make is one that the kernel takes', (t) => {
  t.is(vxlan.owns(optionsOf({ VNI: 9_999_999 })).links[0]?.length, 15);
});

test('an MTU that leaves IPv4 too little is refused where it was set', (t) => {
  const small = optionsOf({ MTU: 100 });
  t.throws(() => vxlan.checkUplink(small, uplink), { instanceOf: ConfigError });
  t.throws(() => vxlan.checkUplink(defaults, { ...uplink, mtu: 100 }), { instanceOf: UplinkError });
});
