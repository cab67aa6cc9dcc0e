import test from 'ava';
import { udp } from '../../src/backend/udp/udp.js';
import { backendJson, parseNetworkConfig } from '../../src/config/network.js';
import { ConfigError, UplinkError } from '../../src/errors.js';
import type { JsonValue } from '../../src/json.js';
import { command, describe } from '../../src/kernel/text.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { peerLease, uplink, viewOf } from './views.js';

const optionsOf = (fields: Record<string, JsonValue>) =>
  udp.parseOptions(backendJson({ Type: 'udp', ...fields }));
const defaults = optionsOf({});
const peer = peerLease('10.5.2.0/24', '192.0.2.2', '');

test('options left out are flannel’s defaults, and so is a port of 0', (t) => {
  t.deepEqual(defaults, { port: 8285, mtu: undefined });
  t.deepEqual(optionsOf({ Port: 0, MTU: 0 }), defaults);
});

test('a config without Backend means udp, with its defaults', (t) => {
  const { config } = parseNetworkConfig('{"Network":"10.5.0.0/16"}', 'test');
  t.deepEqual(udp.parseOptions(config.backend), defaults);
});

for (const [field, value] of [
  ['Port', 65536],
  ['Port', '8285'],
  ['MTU', -1],
  ['MTU', 1.5],
] as const) {
  test(`${field} ${JSON.stringify(value)} is refused by name`, (t) => {
    const error = t.throws(() => optionsOf({ [field]: value }), { instanceOf: ConfigError });
    t.is(error.field, `Backend.${field}`);
    t.true(error.message.includes(JSON.stringify(value)));
  });
}

test('a host has its device, its address, and one route for the whole pool', (t) => {
  t.deepEqual(udp.planSelf(viewOf(defaults)).map(describe), [
    'flannel0 mtu 1472 up type tun',
    'net/ipv6/conf/flannel0/disable_ipv6=1',
    'net/ipv4/conf/flannel0/accept_local=1',
    'net/ipv4/ip_forward=1',
    '10.5.1.0/32 dev flannel0',
    '10.5.0.0/16 dev flannel0 proto 76 metric 1000',
  ]);
});

test('the device is one that a shell can make', (t) => {
  const [device] = udp.planSelf(viewOf(defaults));
  t.is(
    command({ kind: 'add', object: device! }),
    'ip tuntap add mode tun vnet_hdr multi_queue dev flannel0 && ip link set flannel0 mtu 1472 up',
  );
});

test('a peer is nothing to the kernel, and a place in the packet path', (t) => {
  t.deepEqual(udp.planPeer(viewOf(defaults), peer), []);
  t.deepEqual(udp.packetPeer?.(viewOf(defaults), peer), {
    subnet: parsePrefix('10.5.2.0/24')!,
    publicIp: '192.0.2.2',
  });
});

test("the packet path is bound to the uplink's own address, also behind NAT", (t) => {
  const view = viewOf(optionsOf({ Port: 9000 }));
  t.deepEqual(udp.packetPath?.({ ...view, uplink: { ...uplink, publicIp: '198.51.100.1' } }), {
    device: 'flannel0',
    address: '192.0.2.1',
    port: 9000,
    tunnelAddress: '10.5.1.0',
  });
});

test('the lease has no backend type and no data, and those of peers are not looked at', (t) => {
  t.is(udp.leaseType, '');
  const input = { options: defaults, uplink, subnet: parsePrefix('10.5.1.0/24')!, observed: new Map() };
  t.is(udp.leaseData(input), undefined);
  t.is(udp.refusal(viewOf(defaults), peerLease('10.5.2.0/24', '192.0.2.2', 'vxlan')), undefined);
});

test('the MTU is 28 less than the uplink’s, or than a smaller one that is configured', (t) => {
  t.is(udp.mtu(defaults, uplink), 1472);
  t.is(udp.mtu(optionsOf({ MTU: 1400 }), uplink), 1372);
  t.is(udp.mtu(optionsOf({ MTU: 9000 }), uplink), 1472);
  t.is(udp.mtu(defaults, { ...uplink, mtu: 65_536 }), 65_507);
});

test('an MTU that leaves IPv4 too little is refused where it was set', (t) => {
  t.throws(() => udp.checkUplink(optionsOf({ MTU: 90 }), uplink), { instanceOf: ConfigError });
  t.throws(() => udp.checkUplink(defaults, { ...uplink, mtu: 90 }), { instanceOf: UplinkError });
  t.notThrows(() => udp.checkUplink(optionsOf({ MTU: 96 }), uplink));
});

test('peers that name each other’s subnet for a public IP are refused: their packets would go round for ever', (t) => {
  const view = viewOf(defaults);
  for (const [subnet, publicIp] of [
    ['10.5.2.0/24', '10.5.3.9'],
    ['10.5.3.0/24', '10.5.2.9'],
  ] as const)
    t.regex(udp.refusal(view, peerLease(subnet, publicIp, ''))!, /is in the pool.*through flannel0 again/);
  t.is(udp.refusal(view, peer), undefined);
  const onThePool = { ...uplink, networks: [parsePrefix('10.5.250.0/24')!] };
  t.is(udp.refusal({ ...view, uplink: onThePool }, peerLease('10.5.2.0/24', '10.5.250.9', '')), undefined);
});
