/**
 * One TCP stream, and the round trip, between containers of two hosts. Two networks are up side by side, one made by
 * lodend and one with the same devices, routes and entries made by hand; short runs alternate between them. A daemon
 * that leaves the packets to the kernel costs nothing: the ratio should be 1 but for noise.
 */
import { LabError } from '../src/errors.js';
import { Lab } from '../src/lab/lab.js';
import { labByHand } from './by-hand.js';
import type { BackendType } from './crowd.js';
import type { Bench, Figure, Row } from './figure.js';
import { inTurn } from './in-turn.js';
import { median } from './median.js';
import { compare } from './rows.js';
import { Stream } from './stream.js';

const TIMES = 5;
const SECONDS = 3;

export const throughput: Figure = {
  name: 'throughput',
  about: 'TCP and round trip between containers, against a network by hand',
  async measure(bench) {
    return [...(await measureBackend('vxlan', bench)), ...(await measureBackend('host-gw', bench))];
  },
};

async function measureBackend(backend: BackendType, bench: Bench): Promise<Row[]> {
  const options = { hosts: 2, backend, signal: bench.signal };
  const labs: Record<string, Lab> = {};
  try {
    labs.loden = await Lab.up(options);
    labs['by hand'] = await labByHand(backend, options);
    if (bench.flanneld) labs.flanneld = await Lab.up({ ...options, daemon: 'flanneld' });
    return await measureLabs(labs, backend, bench);
  } finally {
    for (const lab of Object.values(labs)) await lab.down();
  }
}

async function measureLabs(
  labs: Readonly<Record<string, Lab>>,
  backend: BackendType,
  bench: Bench,
): Promise<Row[]> {
  const streams = await Promise.all(
    Object.entries(labs).map(async ([name, lab]) => [name, await Stream.open(lab)] as const),
  );
  const seconds = bench.quick ? 1 : SECONDS;
  const runs = await inTurn(bench, {
    what: `${backend}, TCP and round trip`,
    times: bench.quick ? 1 : TIMES,
    contenders: Object.fromEntries(
      streams.map(([name, stream]) => [
        name,
        async () => ({ gbits: await stream.gigabits(seconds), roundTripMs: await roundTrip(stream) }),
      ]),
    ),
    tell: ({ gbits, roundTripMs }) => `${gbits.toFixed(2)} Gbit/s, ${(roundTripMs * 1000).toFixed(0)} µs`,
  });
  return [
    ...compare({
      figure: `${backend}: one TCP stream`,
      unit: 'Gbit/s',
      runs,
      value: (run) => run.gbits,
      target: { of: 'ratio', bound: 'at least', value: 0.97 },
    }),
    ...compare({ figure: `${backend}: round trip`, unit: 'ms', runs, value: (run) => run.roundTripMs }),
  ];
}

async function roundTrip(stream: Stream): Promise<number> {
  const times = await stream.roundTripsMs(100);
  if (times.length === 0) throw new LabError('no ping came back');
  return median(times);
}
