import test from 'ava';
import fc from 'fast-check';
import { allocate, poolSize } from '../../src/lease/allocate.js';
import { formatPrefix, overlaps, type Prefix, prefixSize } from '../../src/net/prefix.js';
import { pool, prefix } from './leases.js';

const network = pool('10.5.0.0/16', 24);

function everySubnet(config = network): Prefix[] {
  const size = prefixSize(config.subnetLength);
  return Array.from({ length: poolSize(config) }, (_, index) => ({
    address: config.subnetMin + index * size,
    length: config.subnetLength,
  }));
}

test('the whole pool is drawn from, both ends included', (t) => {
  const pick = (random: number) =>
    allocate({ network, taken: [], forbidden: [], random: () => random }).subnet;
  t.is(poolSize(network), 255);
  t.deepEqual(pick(0), prefix('10.5.1.0/24'));
  t.deepEqual(pick(0.999_999), prefix('10.5.255.0/24'));
});

test('the last free subnet is found, wherever it is', (t) => {
  const all = everySubnet();
  for (const free of [0, 1, 127, 253, 254]) {
    const taken = all.filter((_, index) => index !== free);
    t.deepEqual(allocate({ network, taken, forbidden: [], random: Math.random }).subnet, all[free]);
  }
});

test('a full pool has none', (t) => {
  const taken = everySubnet();
  t.is(allocate({ network, taken, forbidden: [], random: Math.random }).subnet, undefined);
  t.is(allocate({ network, taken: [network.network], forbidden: [], random: Math.random }).subnet, undefined);
});

test('a subnet that overlaps a network of the host is passed over, and the network is named', (t) => {
  const taken = everySubnet().filter(({ address }) => ![0x0a050700, 0x0a050800].includes(address));
  const docker = { network: prefix('10.5.7.128/25'), text: '10.5.7.128/25 dev docker0' };
  const elsewhere = { network: prefix('192.168.0.0/16'), text: '192.168.0.0/16 dev eth0' };
  const underLease = { network: prefix('10.5.1.1/32'), text: '10.5.1.1/32 dev lo' };
  const forbidden = [docker, elsewhere, underLease];
  const { subnet, passedOver } = allocate({ network, taken, forbidden, random: Math.random });
  t.deepEqual(subnet, prefix('10.5.8.0/24'));
  t.deepEqual(passedOver, [docker]);
});

test('each free subnet is as likely as any other', (t) => {
  const small = pool('10.5.0.0/28', 30, { min: '10.5.0.0', max: '10.5.0.12' });
  const picks = Array.from({ length: 400 }, (_, step) =>
    formatPrefix(
      allocate({ network: small, taken: [prefix('10.5.0.4/30')], forbidden: [], random: () => step / 400 })
        .subnet!,
    ),
  );
  const counts = Object.fromEntries(
    [...new Set(picks)].map((pick) => [pick, picks.filter((p) => p === pick).length]),
  );
  t.deepEqual(counts, { '10.5.0.0/30': 134, '10.5.0.8/30': 133, '10.5.0.12/30': 133 });
});

test('the pick is one of those that a search through the whole pool finds free', (t) => {
  const config = pool('10.5.0.0/20', 24, { min: '10.5.2.0', max: '10.5.13.0' });
  const networks = fc.array(
    fc.record({
      address: fc.integer({ min: 0x0a04f000, max: 0x0a051fff }),
      length: fc.integer({ min: 20, max: 31 }),
    }),
    { maxLength: 12 },
  );
  const unit = fc.nat(999_999).map((millionths) => millionths / 1_000_000);
  fc.assert(
    fc.property(networks, networks, unit, (taken, hostNetworks, random) => {
      const forbidden = hostNetworks.map((network) => ({ network, text: formatPrefix(network) }));
      const unleased = everySubnet(config).filter(
        (subnet) => !taken.some((lease) => overlaps(lease, subnet)),
      );
      const free = unleased.filter((subnet) => !hostNetworks.some((host) => overlaps(host, subnet)));
      const allocation = allocate({ network: config, taken, forbidden, random: () => random });
      t.deepEqual(allocation.subnet, free[Math.floor(random * free.length)]);
      t.deepEqual(
        allocation.passedOver,
        forbidden.filter(({ network }) => unleased.some((subnet) => overlaps(network, subnet))),
      );
    }),
  );
});
