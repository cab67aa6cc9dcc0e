import { join } from 'node:path';
import { execa } from 'execa';
import type { Bench, Row } from './figure.js';
import { inTurn } from './in-turn.js';
import { compare } from './rows.js';

const TIMES = 9;
const SECONDS = 1;
const FEW = 2;
const MANY = 10_000;

interface Run {
  readonly packetsPerSecond: number;
  readonly nsPerLookUp: number;
}

/** What a packet path makes of many peers, against a few: `bench/c/peer-table.c`, compiled into the folder `programs`. */
export async function measurePeerTable(programs: string, bench: Bench): Promise<Row[]> {
  const withPeers = (peers: number) => async (): Promise<Run> => {
    const words = [`${peers}`, `${bench.quick ? 0.1 : SECONDS}`];
    const { stdout } = await execa(join(programs, 'peer-table'), words, { cancelSignal: bench.signal });
    const [packetsPerSecond, nsPerLookUp] = stdout.split(' ').map(Number);
    return { packetsPerSecond: packetsPerSecond!, nsPerLookUp: nsPerLookUp! };
  };
  const runs = await inTurn(bench, {
    what: 'udp, peers',
    times: bench.quick ? 1 : TIMES,
    contenders: { loden: withPeers(MANY), [`${FEW} peers`]: withPeers(FEW) },
    tell: (one) =>
      `${(one.packetsPerSecond / 1000).toFixed(0)}k packets/s, ${one.nsPerLookUp.toFixed(1)} ns a look-up`,
  });
  return [
    ...compare({
      figure: `udp, ${MANY} peers: packets of 64 bytes per second`,
      unit: '',
      runs,
      value: (one) => one.packetsPerSecond,
      target: { of: 'ratio', bound: 'at least', value: 0.9 },
    }),
    ...compare({
      figure: `udp, ${MANY} peers: nanoseconds a look-up`,
      unit: '',
      runs,
      value: (one) => one.nsPerLookUp,
    }),
  ];
}
