/**
 * Many hosts want a subnet at the same moment, as after a power cut: 200 claims in one process, each over its own
 * store, and 40 daemons. Each must get one and no two the same; how long that takes is measured.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { LabError } from '../src/errors.js';
import { readLeasedSubnet } from '../src/lab/container.js';
import type { Daemon, DaemonKind } from '../src/lab/daemon.js';
import { ETCD_PREFIX } from '../src/lab/etcd-service.js';
import { Lab } from '../src/lab/lab.js';
import { networkConfig } from '../src/lab/options.js';
import { waitFor } from '../src/lab/wait.js';
import { subnetsPath } from '../src/lease/codec.js';
import { monotonicMs } from './clock.js';
import { crowd } from './crowd.js';
import type { Bench, Figure, Row } from './figure.js';
import { inTurn } from './in-turn.js';
import type { ClaimInput, ClaimOutput } from './inside/claim-at-once.js';
import { insideToTheEnd } from './inside/inside.js';
import { compare } from './rows.js';

/** Of a pool of 254. */
const CLAIMS = 200;
const DAEMONS = 40;
const DEADLINE_MS = 60_000;
const OPTIONS = { hosts: 1, daemon: false, backend: 'alloc', network: '10.77.0.0/16' } as const;

export const claims: Figure = {
  name: 'claims',
  about: 'subnets claimed at once: by 200 in one process, by 40 daemons',
  async measure(bench) {
    const lab = await Lab.up({ ...OPTIONS, signal: bench.signal });
    try {
      return [...(await measureClaims(lab, bench)), ...(await measureDaemons(lab, bench))];
    } finally {
      await lab.down();
    }
  },
};

async function measureClaims(lab: Lab, bench: Bench): Promise<Row[]> {
  const what = `${CLAIMS} claims at once`;
  const runs = await inTurn(bench, {
    what,
    contenders: {
      loden: () => claimAll(lab, bench, false),
      'bare transactions': () => claimAll(lab, bench, true),
    },
    tell: ({ ms, lostRaces }) => `${ms.toFixed(0)} ms, ${lostRaces} races lost`,
  });
  return [
    ...compare({ figure: `${what}: until all have one`, unit: 'ms', runs, value: (run) => run.ms }),
    ...compare({
      figure: `${what}: races lost`,
      unit: '',
      runs: { loden: runs.loden! },
      value: (run) => run.lostRaces,
    }),
  ];
}

async function claimAll(lab: Lab, bench: Bench, bare: boolean): Promise<ClaimOutput> {
  await releaseAll(lab);
  const input: ClaimInput = {
    endpoint: lab.etcd.endpoint,
    prefix: ETCD_PREFIX,
    config: JSON.stringify(networkConfig(OPTIONS)),
    publicIps: crowd(CLAIMS).map((peer) => peer.publicIp),
    bare,
  };
  const { namespace } = lab.wire;
  const program = 'claim-at-once';
  const output: ClaimOutput = await insideToTheEnd({ namespace, program, input, signal: bench.signal });
  if (!bare) requireDistinct(output.subnets, CLAIMS);
  return output;
}

interface DaemonsRun {
  /** Until the last that got a subnet had it. */
  readonly ms: number;
  readonly got: number;
}

async function measureDaemons(lab: Lab, bench: Bench): Promise<Row[]> {
  const what = `${DAEMONS} daemons at once`;
  const runs = await inTurn(bench, {
    what,
    contenders: {
      loden: () => startAll(lab, 'lodend', bench.signal),
      flanneld: bench.flanneld ? () => startAll(lab, 'flanneld', bench.signal) : undefined,
    },
    tell: ({ ms, got }) => `${ms.toFixed(0)} ms, ${got} got a subnet`,
  });
  return [
    ...compare({ figure: `${what}: until all have one`, unit: 'ms', runs, value: (run) => run.ms }),
    ...compare({
      figure: `${what}: got one`,
      unit: '',
      runs,
      value: (run) => run.got,
      target: { of: 'loden', bound: 'at least', value: DAEMONS },
    }),
  ];
}

async function startAll(lab: Lab, kind: DaemonKind, signal: AbortSignal): Promise<DaemonsRun> {
  await releaseAll(lab);
  const host = lab.host('h1');
  await rm(host.directory, { recursive: true, force: true });
  const daemons = crowd(DAEMONS).map(({ publicIp }, index) =>
    host.makeDaemon(`${kind}-${index}`, {
      kind,
      healthPort: 9000 + index,
      flags: ['--iface=eth0', `--public-ip=${publicIp}`],
    }),
  );
  const began = monotonicMs();
  try {
    await Promise.all(daemons.map((daemon) => daemon.start()));
    const settled = () =>
      daemons.every((daemon) => daemon.exit !== undefined || existsSync(daemon.subnetFile));
    await waitFor('a subnet for each', settled, { deadlineMs: DEADLINE_MS, signal });
    const ms = monotonicMs() - began;
    return { ms, got: await countSubnets(daemons) };
  } finally {
    await Promise.all(daemons.filter((daemon) => daemon.pid !== undefined).map((daemon) => daemon.kill()));
  }
}

async function countSubnets(daemons: readonly Daemon[]): Promise<number> {
  const lucky = daemons.filter((daemon) => existsSync(daemon.subnetFile));
  const subnets = await Promise.all(lucky.map((daemon) => readLeasedSubnet(daemon.subnetFile)));
  requireDistinct(
    subnets.map((subnet) => subnet.bridgeAddress),
    lucky.length,
  );
  return lucky.length;
}

/** All are of one length, so that different ones do not overlap. */
function requireDistinct(subnets: readonly string[], count: number): void {
  const distinct = new Set(subnets).size;
  if (distinct !== count) throw new LabError(`${count} hosts hold ${distinct} different subnets`);
}

async function releaseAll(lab: Lab): Promise<void> {
  await lab.etcd.ctl('del', '--prefix', subnetsPath(ETCD_PREFIX));
}
