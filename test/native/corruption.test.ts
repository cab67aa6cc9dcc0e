/**
 * Bits that change on the way, so that only the inner checksum tells: between two veths nobody computes the outer one.
 * The path must pass on what it got, for the receiver to refuse it; joined to others it would get a right checksum.
 */
import test from 'ava';
import type { Namespace } from '../../src/lab/namespace.js';
import { copiesWhole } from '../netns/tcp-copy.js';
import { openBoth, twoHosts } from './hosts.js';

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;

/** The 101st byte behind the UDP header: TCP payload, behind 20 bytes of IP and 32 of TCP. Other packets are shorter. */
const SPOIL = `table netdev way {
  chain in {
    type filter hook ingress device eth0 priority 0;
    udp dport 8285 udp length > 1000 numgen random mod 100 == 0 @th,864,8 set 0x5a
  }
}`;

/** TCP segments that were sent again in this namespace. */
async function retransmitted(namespace: Namespace): Promise<number> {
  const lines = (await namespace.exec(['cat', '/proc/net/snmp']))
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'));
  const [names, values] = lines.map((line) => line.split(' '));
  return Number(values![names!.indexOf('RetransSegs')]);
}

for (const [what, offloads] of [
  ['in datagrams that travel one by one', 'tso off gso off tx-udp-segmentation off'],
  ['in datagrams that travel as one', 'gso on'],
] as const)
  asRoot(`corruption ${what} is never repaired`, async (t) => {
    const hosts = await twoHosts(t);
    const [alice, bob] = hosts;
    await alice.namespace.exec(['ethtool', '-K', 'eth0', ...offloads.split(' ')]);
    await bob.namespace.exec(['nft', '-f', '-'], { input: SPOIL });
    await openBoth(hosts);
    t.true(await copiesWhole(alice.end, bob.end, 2));
    const counters = await bob.path.counters();
    t.true(counters.bad_checksums! > 0 && counters.merged_packets! > 0);
    t.true((await retransmitted(alice.namespace)) > 0);
  });
