import test from 'ava';
import { checkConfig } from '../../src/backend/checked-config.js';
import type { Interface } from '../../src/kernel/kernel.js';
import { masked, parsePrefix } from '../../src/net/prefix.js';
import { leaseToRelease, ownedByConfig, ownedByPool } from '../../src/tool/leftovers.js';
import { ANY_UPLINK, ownHost } from '../../src/tool/own-host.js';
import { peerLease } from '../backend/views.js';
import { FakeKernel } from '../fakes/kernel.js';

function link(name: string, address: string): Interface {
  const network = masked(parsePrefix(`${address}/24`)!);
  return { index: 1, name, mtu: 1500, up: true, addresses: [{ address, network }] };
}

const pool = parsePrefix('10.5.0.0/16')!;
const subnet = parsePrefix('10.5.1.0/24')!;
const interfaces = [link('eth0', '192.0.2.1')];
const { signal } = new AbortController();

/** A host with a device for each address. */
function hostWith(devices: Readonly<Record<string, string>>, type = 'vxlan'): FakeKernel {
  const kernel = new FakeKernel(interfaces);
  for (const [name, address] of Object.entries(devices)) {
    kernel.meddle.set({ kind: 'link', name, mac: '02:00:00:00:00:01', mtu: 1450, up: true, type });
    kernel.meddle.set({ kind: 'address', link: name, address });
  }
  return kernel;
}

test("by the config, the backend's device and both pools are ours", async (t) => {
  const checked = checkConfig('{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan","VNI":9}}', 'test');
  const old = parsePrefix('10.4.0.0/16')!;
  const bare = hostWith({});
  t.like(await ownedByConfig(checked, old, bare, signal), { links: ['flannel.9'], pools: [pool, old] });
  t.deepEqual((await ownedByConfig(checked, undefined, bare, signal)).pools, [pool]);
});

test('by the config, devices that an earlier VNI or pool left behind are ours too', async (t) => {
  const checked = checkConfig('{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan","VNI":9}}', 'test');
  const kernel = hostWith({
    'flannel.9': '10.5.1.0/32',
    'flannel.8': '10.5.1.0/32',
    'flannel.7': '10.4.1.0/32',
    'flannel.6': '10.6.1.0/32',
  });
  const owned = await ownedByConfig(checked, parsePrefix('10.4.0.0/16')!, kernel, signal);
  t.deepEqual(owned.links, ['flannel.9', 'flannel.8', 'flannel.7']);
});

test("by the pool alone, only tunnel devices that have a VTEP's address in it are ours", async (t) => {
  const linksOf = async (kernel: FakeKernel) => (await ownedByPool(pool, kernel, signal)).links;
  t.deepEqual(await linksOf(hostWith({ 'flannel.1': '10.5.1.0/32', 'flannel.2': '10.6.1.0/32' })), [
    'flannel.1',
  ]);
  const others = { docker0: '10.5.1.1/32', 'flannel.x': '10.5.1.0/32', 'flannel.3': '10.5.1.0/24' };
  t.deepEqual(await linksOf(hostWith(others)), []);
  t.deepEqual(await linksOf(hostWith({ 'flannel.1': '10.5.1.0/32' }, 'bridge')), []);
  t.deepEqual(await linksOf(hostWith({ flannel0: '10.5.1.0/32' }, 'tun')), ['flannel0']);
  const swapped = { flannel0: '10.5.1.0/32' };
  t.deepEqual(await linksOf(hostWith(swapped, 'vxlan')), []);
});

test('the lease to release carries our identity, or else a public IP of this host', (t) => {
  const bare = peerLease('10.5.1.0/24', '192.0.2.1', 'vxlan');
  const elsewhere = peerLease('10.5.1.0/24', '192.0.2.7', 'vxlan');
  const marked = { ...elsewhere, attributes: { ...elsewhere.attributes, identity: 'a1' } };
  const marks = { subnet, identity: 'a1', interfaces };
  t.is(leaseToRelease([bare], marks), bare);
  t.is(leaseToRelease([marked], marks), marked);
  t.is(leaseToRelease([elsewhere], marks), 'foreign');
  t.is(leaseToRelease([marked], { ...marks, identity: 'b2' }), 'foreign');
  t.is(leaseToRelease([peerLease('10.5.2.0/24', '192.0.2.1', 'vxlan')], marks), undefined);
  t.is(leaseToRelease([bare], { ...marks, subnet: undefined }), undefined);
});

test("this machine is the host of its subnet file's lease, over the interface with its public IP", (t) => {
  const lease = peerLease('10.5.1.0/24', '192.0.2.1', 'vxlan');
  const address = {
    address: '192.0.2.1',
    cidr: '192.0.2.1/24',
    netmask: '',
    mac: '',
    internal: false,
  } as const;
  const machine = { eth0: [{ ...address, family: 'IPv4' as const }] };
  t.deepEqual(ownHost(subnet, [lease], machine), {
    lease,
    uplink: {
      ...ANY_UPLINK,
      name: 'eth0',
      address: '192.0.2.1',
      publicIp: '192.0.2.1',
      networks: [parsePrefix('192.0.2.0/24')!],
    },
  });
  t.is(ownHost(subnet, [lease], {})?.uplink, undefined);
  t.is(ownHost(subnet, [{ ...lease, subnetV6: 'fd00::/64' }], machine), undefined);
  t.is(ownHost(subnet, [], machine), undefined);
  t.is(ownHost(undefined, [lease], machine), undefined);
});
