import test from 'ava';
import {
  chooseUplink,
  findUplink,
  type HostNetwork,
  type UplinkRequest,
} from '../../../src/agent/uplink/uplink.js';
import { UplinkError } from '../../../src/errors.js';
import type { Interface } from '../../../src/kernel/kernel.js';
import { masked, parsePrefix } from '../../../src/net/prefix.js';

function link(index: number, name: string, mtu: number, ...addresses: string[]): Interface {
  return {
    index,
    name,
    mtu,
    up: name !== 'eth2',
    addresses: addresses.map((text) => ({
      address: text.split('/')[0]!,
      network: masked(parsePrefix(text)!),
    })),
  };
}

const host: HostNetwork = {
  interfaces: [
    link(1, 'lo', 65_536, '127.0.0.1/8'),
    link(2, 'eth0', 1500, '192.0.2.10/24', '192.0.2.11/24'),
    link(3, 'eth1', 9000, '10.0.0.10/8'),
    link(4, 'eth2', 1500),
  ],
  defaultLink: 'eth0',
  reach: undefined,
};

const nothing: UplinkRequest = { iface: [], ifaceRegex: [], ifaceCanReach: undefined, publicIp: undefined };

/** `eth0 192.0.2.10 as 192.0.2.10 by the default route` */
function chosen(request: Partial<UplinkRequest>, on: Partial<HostNetwork> = {}): string {
  const { uplink, reason, behindNat } = chooseUplink({ ...nothing, ...request }, { ...host, ...on });
  const nat = behindNat ? ' behind NAT' : '';
  return `${uplink.name} ${uplink.address} as ${uplink.publicIp} by ${reason}${nat}`;
}

test("without flags it is the default route's interface and its first address", (t) => {
  t.is(chosen({}), 'eth0 192.0.2.10 as 192.0.2.10 by the default route');
  const { uplink } = chooseUplink(nothing, host);
  t.is(uplink.index, 2);
  t.is(uplink.mtu, 1500);
  t.is(uplink.networks.length, 2);
});

test('an interface is found by name or by address, and the address asked for is used', (t) => {
  t.is(chosen({ iface: ['eth1'] }), 'eth1 10.0.0.10 as 10.0.0.10 by --iface eth1');
  t.is(chosen({ iface: ['192.0.2.11'] }), 'eth0 192.0.2.11 as 192.0.2.11 by --iface 192.0.2.11');
});

test('the loopback is chosen by name for an address that others may reach, and 127.0.0.1 by that only', (t) => {
  t.throws(() => chosen({ iface: ['lo'] }), { instanceOf: UplinkError });
  t.is(chosen({ iface: ['127.0.0.1'] }), 'lo 127.0.0.1 as 127.0.0.1 by --iface 127.0.0.1');
  const interfaces = [link(1, 'lo', 65_536, '127.0.0.1/8', '203.0.113.5/32')];
  t.is(chosen({ iface: ['lo'] }, { interfaces }), 'lo 203.0.113.5 as 203.0.113.5 by --iface lo');
});

test('the first --iface that fits wins, then patterns, then what leads to an address', (t) => {
  const reach = { link: 'eth1', source: '10.0.0.10', local: false };
  const request = { iface: ['eth9', 'eth2'], ifaceRegex: [/^eth1$/], ifaceCanReach: '10.1.1.1' };
  t.is(chosen({ ...request, iface: ['eth9', 'eth0'] }), 'eth0 192.0.2.10 as 192.0.2.10 by --iface eth0');
  t.is(chosen(request), 'eth1 10.0.0.10 as 10.0.0.10 by --iface-regex ^eth1$');
  t.is(
    chosen({ ...request, ifaceRegex: [/^no/] }, { reach }),
    'eth1 10.0.0.10 as 10.0.0.10 by --iface-can-reach 10.1.1.1',
  );
});

test('a pattern is held against addresses first, then against names, and never against the loopback', (t) => {
  t.regex(chosen({ ifaceRegex: [/1/] }), /^eth0 192\.0\.2\.10 /);
  t.regex(chosen({ ifaceRegex: [/\.11$/] }), /^eth0 192\.0\.2\.11 /);
  t.regex(chosen({ ifaceRegex: [/^127|^eth1/] }), /^eth1 /);
});

test('a public IP without --iface picks the interface that has it', (t) => {
  t.is(chosen({ publicIp: '10.0.0.10' }), 'eth1 10.0.0.10 as 10.0.0.10 by --public-ip 10.0.0.10');
});

test("a public IP that no interface has goes with the default route's interface, behind NAT", (t) => {
  t.is(chosen({ publicIp: '203.0.113.5' }), 'eth0 192.0.2.10 as 203.0.113.5 by the default route behind NAT');
});

test('with --iface a public IP changes only what is advertised', (t) => {
  t.is(
    chosen({ iface: ['eth1'], publicIp: '203.0.113.5' }),
    'eth1 10.0.0.10 as 203.0.113.5 by --iface eth1 behind NAT',
  );
  t.is(chosen({ iface: ['eth1'], publicIp: '192.0.2.10' }), 'eth1 10.0.0.10 as 192.0.2.10 by --iface eth1');
});

test('an address that is our own leads nowhere', (t) => {
  const reach = { link: 'lo', source: '127.0.0.1', local: true };
  t.throws(() => chosen({ ifaceCanReach: '10.0.0.10' }, { reach }), { instanceOf: UplinkError });
});

test('when none fits, the error says what was asked for and what there is', (t) => {
  const request = { iface: ['eth9', 'eth2'], ifaceRegex: [/^wl/], ifaceCanReach: '198.51.100.1' };
  const error = t.throws(() => chosen(request), { instanceOf: UplinkError });
  t.is(
    error.message,
    'no interface fits --iface=eth9 --iface=eth2 --iface-regex=^wl --iface-can-reach=198.51.100.1. ' +
      'This host has lo (127.0.0.1/8, up); eth0 (192.0.2.10/24, 192.0.2.11/24, up); eth1 (10.0.0.10/8, up); ' +
      'eth2 (no IPv4 address, down). Choose with --iface',
  );
});

test('without a default route the error says so', (t) => {
  t.throws(() => chosen({}, { defaultLink: undefined }), { message: /no default route.*eth1.*--iface/ });
  t.throws(() => chosen({}, { defaultLink: 'eth2' }), { message: /eth2.*has no IPv4 address/ });
});

test('an interface without an MTU is refused', (t) => {
  const interfaces = [link(2, 'eth0', 0, '192.0.2.10/24')];
  t.throws(() => chosen({}, { interfaces }), { message: /eth0 has no MTU/ });
});

test('the kernel is asked for the first default route and for the address to reach', async (t) => {
  const asked: string[] = [];
  const kernel = {
    interfaces: async () => host.interfaces,
    routes: async () =>
      ['10.0.0.0/8 eth1', '0.0.0.0/0 eth1', '0.0.0.0/0 eth0'].map((text) => {
        const [destination, name] = text.split(' ') as [string, string];
        return { destination: parsePrefix(destination)!, link: name, gateway: undefined, text };
      }),
    routeTo: async (address: string) => {
      asked.push(address);
      return { link: 'eth0', source: '192.0.2.11', local: false };
    },
  };
  const { signal } = new AbortController();
  t.is((await findUplink(nothing, kernel, signal)).uplink.name, 'eth1');
  const { uplink } = await findUplink({ ...nothing, ifaceCanReach: '192.0.2.99' }, kernel, signal);
  t.is(uplink.address, '192.0.2.11');
  t.deepEqual(asked, ['192.0.2.99']);
});
