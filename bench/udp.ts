/**
 * The udp backend, whose packets go through a program, next to what there is besides: plain routes, the kernel's VXLAN,
 * and the plainest program that does the same, one packet a system call, which is what flanneld's is. All networks are
 * up side by side and have short turns.
 *
 * Everything is measured twice: with veth pairs as they are, which pass a segment of 64 KB whole, and with the sender
 * made to cut it up, which is closer to a network card's work.
 */
import { rm } from 'node:fs/promises';
import { Lab } from '../src/lab/lab.js';
import { labByHand } from './by-hand.js';
import { compilePrograms } from './compiled.js';
import type { Bench, Figure, Row, Target } from './figure.js';
import { type Contenders, inTurn, type Runs } from './in-turn.js';
import { median } from './median.js';
import { labOfOnePacketLoops } from './one-packet-loop.js';
import { measurePeerTable } from './peer-table.js';
import { busySeconds } from './processor.js';
import { compare } from './rows.js';
import { SmallPackets } from './small-packets.js';
import { Stream } from './stream.js';

const TIMES = 5;
const SECONDS = 3;

type Underlay = 'veth' | 'segmented';
type Labs = Readonly<Record<string, Lab>>;

export const udp: Figure = {
  name: 'udp',
  about: 'the udp backend, against routes, VXLAN and a plain loop',
  async measure(bench) {
    const programs = await compilePrograms('one-packet-loop', 'packets', 'peer-table');
    const labs: Record<string, Lab> = {};
    try {
      const peers = await measurePeerTable(programs, bench);
      await buildLabs(labs, programs, bench);
      const contenders = await contendersOf(labs, programs, bench.quick ? 1 : SECONDS);
      const plain = await measureUnderlay('veth', contenders, bench);
      for (const lab of Object.values(labs)) await segmentAtTheSender(lab);
      return [...plain, ...(await measureUnderlay('segmented', contenders, bench)), ...peers];
    } finally {
      for (const lab of Object.values(labs)) await lab.down();
      await rm(programs, { recursive: true });
    }
  },
};

async function buildLabs(labs: Record<string, Lab>, programs: string, bench: Bench): Promise<void> {
  const options = { hosts: 2, signal: bench.signal };
  labs.loden = await Lab.up({ ...options, backend: 'udp' });
  labs.routes = await labByHand('host-gw', options);
  labs.vxlan = await labByHand('vxlan', options);
  labs['one-packet loop'] = await labOfOnePacketLoops(programs, options);
  if (bench.flanneld) labs.flanneld = await Lab.up({ ...options, backend: 'udp', daemon: 'flanneld' });
}

interface Run {
  readonly gbits: number;
  readonly gbitsOfFour: number;
  /** Processor time of the whole machine, both hosts and both ends of the stream. */
  readonly processorMsPerGbit: number;
  readonly packetsPerSecond: number;
  readonly roundTripMs: number;
}

async function contendersOf(labs: Labs, programs: string, seconds: number): Promise<Contenders<Run>> {
  const contenders: Record<string, () => Promise<Run>> = {};
  for (const [name, lab] of Object.entries(labs)) {
    const stream = await Stream.open(lab);
    const packets = new SmallPackets(lab, programs);
    contenders[name] = () => run(stream, packets, seconds);
  }
  return contenders;
}

async function measureUnderlay(
  underlay: Underlay,
  contenders: Contenders<Run>,
  bench: Bench,
): Promise<Row[]> {
  const runs = await inTurn(bench, {
    what: `udp, ${underlay}`,
    times: bench.quick ? 1 : TIMES,
    contenders,
    tell: (one) =>
      `${one.gbits.toFixed(2)} Gbit/s, ${(one.packetsPerSecond / 1000).toFixed(0)}k packets/s, ` +
      `${(one.roundTripMs * 1000).toFixed(0)} µs`,
  });
  return rowsOf(underlay, runs, bench.flanneld ? 'flanneld' : 'one-packet loop');
}

async function segmentAtTheSender(lab: Lab): Promise<void> {
  for (const host of lab.hosts) await host.exec(['ethtool', '-K', 'eth0', 'tso', 'off', 'gso', 'off']);
}

async function run(stream: Stream, packets: SmallPackets, seconds: number): Promise<Run> {
  const before = await busySeconds();
  const gbits = await stream.gigabits(seconds);
  const busy = (await busySeconds()) - before;
  return {
    gbits,
    gbitsOfFour: await stream.gigabits(seconds, 4),
    processorMsPerGbit: (1000 * busy) / (gbits * seconds),
    packetsPerSecond: await packets.perSecond(seconds),
    roundTripMs: median(await stream.roundTripsMs(200)),
  };
}

/** `rival`: what the targets are about, flanneld or what stands in for it. */
function rowsOf(underlay: Underlay, runs: Runs<Run>, rival: string): Row[] {
  const name = `udp, ${underlay}`;
  const bulk = { [rival]: atLeast(8), vxlan: atLeast(underlay === 'veth' ? 0.85 : 1) };
  return [
    ...compare({
      figure: `${name}: one TCP stream`,
      unit: 'Gbit/s',
      runs,
      value: (one) => one.gbits,
      targets: bulk,
    }),
    ...compare({
      figure: `${name}: four TCP streams`,
      unit: 'Gbit/s',
      runs,
      value: (one) => one.gbitsOfFour,
      targets: bulk,
    }),
    ...compare({
      figure: `${name}: processor time per Gbit`,
      unit: 'ms',
      runs,
      value: (one) => one.processorMsPerGbit,
    }),
    ...compare({
      figure: `${name}: packets of 64 bytes per second`,
      unit: '',
      runs,
      value: (one) => one.packetsPerSecond,
      targets: { [rival]: atLeast(3) },
    }),
    ...compare({
      figure: `${name}: round trip`,
      unit: 'ms',
      runs,
      value: (one) => one.roundTripMs,
      targets: { [rival]: atMost(1) },
    }),
  ];
}

function atLeast(value: number): Target {
  return { of: 'ratio', bound: 'at least', value };
}

function atMost(value: number): Target {
  return { of: 'ratio', bound: 'at most', value };
}
