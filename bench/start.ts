/** From exec to ready with ten peers and etcd near by, on a host that never had a lease. The floor is Node itself. */
import type { DaemonKind } from '../src/lab/daemon.js';
import { monotonicMs } from './clock.js';
import { crowd } from './crowd.js';
import type { Bench, Figure, Row } from './figure.js';
import { inTurn } from './in-turn.js';
import type { AwaitReadyInput } from './inside/await-ready.js';
import { inside } from './inside/inside.js';
import { LoneHost } from './lone-host.js';
import { compare } from './rows.js';

const PEERS = 10;
const HEALTH_PORT = 8471;
const DEADLINE_MS = 30_000;
/** Short runs: more of them. */
const TIMES = 9;

export const start: Figure = {
  name: 'start',
  about: 'exec to ready, with 10 peers and a local etcd',
  measure: (bench) => LoneHost.with('vxlan', bench.signal, (rig) => measureStart(rig, bench)),
};

async function measureStart(rig: LoneHost, bench: Bench): Promise<Row[]> {
  const runs = await inTurn(bench, {
    what: 'exec to ready',
    times: bench.quick ? 1 : TIMES,
    contenders: {
      loden: () => untilReady(rig, 'lodend'),
      'node -e 0': () => bareNode(rig),
      flanneld: bench.flanneld ? () => untilReady(rig, 'flanneld') : undefined,
    },
    tell: (ms) => `${ms.toFixed(0)} ms`,
  });
  const figure = `exec to ready, ${PEERS} peers`;
  return compare({
    figure,
    unit: 'ms',
    runs,
    value: (ms) => ms,
    target: { of: 'loden', bound: 'at most', value: 400 },
  });
}

async function untilReady(rig: LoneHost, kind: DaemonKind): Promise<number> {
  await rig.clearKernel();
  await rig.forget(kind);
  await rig.setLeases(crowd(PEERS));
  const daemon = rig.daemon(kind, { healthPort: HEALTH_PORT });
  const input: AwaitReadyInput = {
    ...(kind === 'lodend' ? { port: HEALTH_PORT } : { file: daemon.subnetFile }),
    deadlineMs: DEADLINE_MS,
  };
  const { namespace } = rig.host;
  const ready = await inside<AwaitReadyInput, number>({
    namespace,
    program: 'await-ready',
    input,
    signal: rig.signal,
  });
  try {
    const began = monotonicMs();
    await daemon.start();
    return (await ready.result) - began;
  } finally {
    ready.stop();
    await daemon.stop();
  }
}

async function bareNode(rig: LoneHost): Promise<number> {
  const began = monotonicMs();
  await rig.host.exec([process.execPath, '-e', '0']);
  return monotonicMs() - began;
}
