/** What goes in at one host comes out at the other, byte for byte but for the TTL and the IP header's checksum. */
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { UdpFeature, UdpOptions } from '../../src/native.js';
import { type Given, packetOf, traffic } from './frames.js';
import { openBoth, twoHosts } from './hosts.js';
import { aged, headerLength, TCP, UDP } from './packets.js';
import type { Wire } from './wire.js';

type Counters = Readonly<Record<string, number>>;

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;

/** Order is promised among packets of one flow: same protocol, and ports where there are any. */
function flowOf(packet: Buffer): string {
  const isWhole = (packet.readUInt16BE(6) & 0x3fff) === 0;
  const ip = headerLength(packet);
  const hasPorts = isWhole && [TCP, UDP].includes(packet[9]!) && packet.length >= ip + 4;
  return `${packet[9]} ${hasPorts ? packet.toString('hex', ip, ip + 4) : isWhole}`;
}

function byFlow(packets: readonly Buffer[]): Record<string, string[]> {
  const flows: Record<string, string[]> = {};
  for (const packet of packets) {
    const flow = flowOf(packet);
    flows[flow] ??= [];
    flows[flow].push(packet.toString('hex'));
  }
  return flows;
}

/** The first difference within each flow; empty when there is none. */
function differences(actual: readonly Buffer[], expected: readonly Buffer[]): string[] {
  const [actualFlows, expectedFlows] = [byFlow(actual), byFlow(expected)];
  const flows = new Set([...Object.keys(actualFlows), ...Object.keys(expectedFlows)]);
  return [...flows].flatMap((flow) => {
    const [is, should] = [actualFlows[flow] ?? [], expectedFlows[flow] ?? []];
    const at = [...Array(Math.max(is.length, should.length)).keys()].find((i) => is[i] !== should[i]);
    if (at === undefined) return [];
    return `flow ${flow}: packet ${at} of ${is.length}: ${is[at]}\n  should be, of ${should.length}: ${should[at]}`;
  });
}

/** Throws, so that fast-check tells the seed; AVA would only tell a failed assertion of its own. */
async function carries([from, to]: readonly [Wire, Wire], given: readonly Given[]): Promise<void> {
  const expected = given.flatMap(({ packets }) => packets.flatMap((packet) => aged(packet) ?? []));
  from.send(...given.map(({ frame }) => frame));
  const received = await to.take(expected.length);
  const different = differences(received.map(packetOf), expected);
  if (different.length > 0) throw new Error(different.join('\n'));
}

/** Without the counterexample, which is hundreds of kilobytes: the seed and the path make it again. */
function reportShortly<T>(details: fc.RunDetails<T>): void {
  if (details.failed)
    throw new Error(
      `{ seed: ${details.seed}, path: '${details.counterexamplePath}' }: ${details.errorInstance}`,
    );
}

/** Sends random traffic both ways; what the hosts counted, together. */
async function carriesAll(
  t: ExecutionContext,
  options: Partial<UdpOptions>,
  runs: number,
): Promise<Counters> {
  const hosts = await twoHosts(t);
  const [alice, bob] = hosts;
  const wires = [await alice.attachWire(t), await bob.attachWire(t)] as const;
  await openBoth(hosts, options);
  const { features } = await alice.path.features();
  t.false(features.some((feature) => options.without?.includes(feature)));
  const there = traffic({ source: '10.9.1.7', destination: '10.9.2.7' });
  const back = traffic({ source: '10.9.2.7', destination: '10.9.1.7' });
  await fc.assert(
    fc.asyncProperty(there, back, async (one, other) => {
      await carries(wires, one);
      await carries([wires[1], wires[0]], other);
    }),
    { numRuns: runs, reporter: reportShortly },
  );
  const [a, b] = [await alice.path.counters(), await bob.path.counters()];
  return Object.fromEntries(Object.keys(a).map((name) => [name, a[name]! + b[name]!]));
}

const GSO = ['gso_sends', 'gso_packets'];
const GRO = ['gro_receives', 'gro_packets'];
const MERGES = ['merged_writes', 'merged_packets'];
const COUNTED = [...GSO, ...GRO, ...MERGES];

asRoot('every packet arrives as it was', async (t) => {
  const counters = await carriesAll(t, {}, 60);
  for (const name of [...COUNTED, 'bad_checksums']) t.true(counters[name]! > 0, name);
});

asRoot('every packet arrives as it was, and in order within its flow, with several queues', async (t) => {
  const counters = await carriesAll(t, { queues: 3 }, 30);
  for (const name of COUNTED) t.true(counters[name]! > 0, name);
});

/** What is never counted then. Two veths join no datagrams that were not sent as one. */
const FALLBACKS: readonly { without: UdpFeature[]; unused: readonly string[] }[] = [
  { without: ['gso'], unused: [...GSO, ...GRO] },
  { without: ['gro'], unused: GRO },
  { without: ['tso'], unused: MERGES },
  { without: ['uso'], unused: [] },
  { without: ['multi-queue'], unused: [] },
  { without: ['tso', 'uso', 'gso', 'gro', 'multi-queue'], unused: COUNTED },
];

for (const { without, unused } of FALLBACKS)
  asRoot(`every packet arrives as it was without ${without.join(', ')}`, async (t) => {
    const counters = await carriesAll(t, { without, queues: 2 }, 20);
    for (const name of COUNTED) t.is(counters[name]! === 0, unused.includes(name), name);
  });
