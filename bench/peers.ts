/**
 * How long a daemon takes, and how much memory, from exec until n peers are in the kernel; and for how long its event
 * loop stands still meanwhile. The floor is the kernel itself: the same objects by `ip -batch` and `bridge -batch`.
 */
import type { BackendType } from './crowd.js';
import type { Bench, Figure, Row, Target } from './figure.js';
import { inTurn } from './in-turn.js';
import { LoneHost } from './lone-host.js';
import { PeerLoad } from './peer-load.js';
import { compare } from './rows.js';

const SIZES = [100, 1000, 10_000];
/** flanneld needs minutes for more over host-gw: the kernel's time grows with the square when all metrics are equal. */
const MOST_FOR_FLANNELD: Readonly<Record<BackendType, number>> = { vxlan: 10_000, 'host-gw': 1000 };
/** What the targets are for. */
const GOAL = 10_000;

export const peers: Figure = {
  name: 'peers',
  about: 'exec to 100, 1,000 and 10,000 peers in the kernel; memory, stalls',
  async measure(bench) {
    const rows: Row[] = [];
    for (const backend of ['vxlan', 'host-gw'] as const)
      rows.push(...(await LoneHost.with(backend, bench.signal, (rig) => measureBackend(rig, bench))));
    return rows;
  },
};

async function measureBackend(rig: LoneHost, bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const size of bench.quick ? SIZES.slice(0, 1) : SIZES) {
    const load = await PeerLoad.prepare(rig, size);
    const what = `${rig.backend}, ${size.toLocaleString('en')} peers`;
    rows.push(...(await measureLoad(load, what, bench)));
    if (bench.quick || size === GOAL) rows.push(...(await measureStall(load, what, bench)));
  }
  return rows;
}

async function measureLoad(load: PeerLoad, what: string, bench: Bench): Promise<Row[]> {
  const withFlanneld = bench.flanneld && load.size <= MOST_FOR_FLANNELD[load.backend];
  const runs = await inTurn(bench, {
    what,
    contenders: {
      loden: () => load.byDaemon('lodend'),
      'ip -batch': () => load.byHand(),
      flanneld: withFlanneld ? () => load.byDaemon('flanneld') : undefined,
    },
    tell: ({ ms, mb }) => `${ms.toFixed(0)} ms${mb === undefined ? '' : `, ${mb.toFixed(0)} MB`}`,
  });
  const goal = (value: number) => (load.size === GOAL ? atMost(value) : undefined);
  return [
    ...compare({ figure: `${what}: time`, unit: 'ms', runs, value: (run) => run.ms, target: goal(1000) }),
    ...compare({ figure: `${what}: memory`, unit: 'MB', runs, value: (run) => run.mb, target: goal(160) }),
  ];
}

async function measureStall(load: PeerLoad, what: string, bench: Bench): Promise<Row[]> {
  const runs = await inTurn(bench, {
    what: `${what}: stall`,
    contenders: { loden: () => load.longestStallMs() },
    tell: (ms) => `${ms.toFixed(0)} ms`,
  });
  return compare({ figure: `${what}: stall`, unit: 'ms', runs, value: (ms) => ms, target: atMost(50) });
}

function atMost(value: number): Target {
  return { of: 'loden', bound: 'at most', value };
}
