/** From the put of a lease in etcd until its route is in another host's kernel, with few peers and with many. */
import type { Daemon, DaemonKind } from '../src/lab/daemon.js';
import { ETCD_PREFIX } from '../src/lab/etcd-service.js';
import { waitFor } from '../src/lab/wait.js';
import { subnetsPath } from '../src/lease/codec.js';
import { formatPrefix } from '../src/net/prefix.js';
import { crowd, leaseOf } from './crowd.js';
import type { Bench, Figure, Row, Target } from './figure.js';
import { inTurn, type Runs } from './in-turn.js';
import type { Followed, FollowLeaseInput } from './inside/follow-lease.js';
import { insideToTheEnd } from './inside/inside.js';
import { LoneHost } from './lone-host.js';
import { percentile } from './median.js';
import { compare } from './rows.js';

/** Peers that are there, and how long the slowest but one per cent may take. */
const SIZES = [
  { size: 10, p99Ms: 3 },
  { size: 10_000, p99Ms: 10 },
];
const SAMPLES = 400;
const QUICK_SAMPLES = 20;
/** Samples that come first and do not count: code that runs for the first time, here and in the daemon. */
const WARM_UP = 50;

export const propagation: Figure = {
  name: 'propagation',
  about: "put of a lease in etcd to the route in another host's kernel",
  measure: (bench) => LoneHost.with('vxlan', bench.signal, (rig) => measureSizes(rig, bench)),
};

async function measureSizes(rig: LoneHost, bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { size, p99Ms } of bench.quick ? SIZES.slice(0, 1) : SIZES) {
    const what = `lease to route, ${size.toLocaleString('en')} peers`;
    await rig.setLeases(crowd(size));
    const runs = await measure(rig, size, what, bench);
    const target = { of: 'loden', bound: 'at most', value: p99Ms } as const;
    rows.push(...rowsAt(50, what, runs), ...rowsAt(99, what, runs, target));
  }
  return rows;
}

function rowsAt(percent: number, what: string, runs: Runs<readonly Followed[]>, target?: Target): Row[] {
  const unit = 'ms';
  return [
    ...compare({
      figure: `${what}: p${percent}`,
      unit,
      runs: withWatcher(runs),
      value: (times) => percentile(times, percent),
      target,
    }),
    ...compare({
      figure: `${what}: p${percent} after the watcher`,
      unit,
      runs,
      value: (samples) => percentile(samples.map(afterWatcher), percent),
    }),
  ];
}

function afterWatcher({ untilRoute, untilWatched }: Followed): number {
  return untilRoute - untilWatched;
}

/** What the watcher saw, of the very same puts. */
function withWatcher(runs: Runs<readonly Followed[]>): Runs<readonly number[]> {
  const pick = (field: keyof Followed) => (samples: readonly Followed[]) =>
    samples.map((sample) => sample[field]);
  const { loden = [], ...others } = runs;
  return {
    loden: loden.map(pick('untilRoute')),
    'etcd watcher': loden.map(pick('untilWatched')),
    ...Object.fromEntries(Object.entries(others).map(([name, all]) => [name, all.map(pick('untilRoute'))])),
  };
}

async function measure(
  rig: LoneHost,
  size: number,
  what: string,
  bench: Bench,
): Promise<Runs<readonly Followed[]>> {
  const byDaemon = (kind: DaemonKind) => async () => {
    await rig.clearKernel();
    const daemon = rig.daemon(kind);
    await daemon.start();
    try {
      await waitFor(`${size} routes`, async () => (await rig.countRoutes()) === size, { deadlineMs: 60_000 });
      return await follow(rig, daemon, size, bench);
    } finally {
      await daemon.stop();
    }
  };
  return inTurn(bench, {
    what,
    contenders: {
      loden: byDaemon('lodend'),
      flanneld: bench.flanneld ? byDaemon('flanneld') : undefined,
    },
    tell: (samples) => {
      const times = samples.map((sample) => sample.untilRoute);
      return `p50 ${percentile(times, 50).toFixed(2)} ms, p99 ${percentile(times, 99).toFixed(2)} ms`;
    },
  });
}

async function follow(
  rig: LoneHost,
  daemon: Daemon,
  size: number,
  bench: Bench,
): Promise<readonly Followed[]> {
  const own = (await rig.leasedSubnet(daemon)).replace(/\.\d+\//, '.0/');
  const samples = WARM_UP + (bench.quick ? QUICK_SAMPLES : SAMPLES);
  const peers = crowd(samples + 1, size).filter((peer) => formatPrefix(peer.subnet) !== own);
  const leases = peers.slice(0, samples).map((peer) => {
    const [key, value] = leaseOf(peer, rig.backend, ETCD_PREFIX);
    return { key, value, subnet: formatPrefix(peer.subnet) };
  });
  const input: FollowLeaseInput = {
    endpoint: rig.lab.etcd.endpoint,
    leases,
    folder: subnetsPath(ETCD_PREFIX),
  };
  const { namespace } = rig.host;
  const program = 'follow-lease';
  const followed: Followed[] = await insideToTheEnd({ namespace, program, input, signal: bench.signal });
  return followed.slice(WARM_UP);
}
