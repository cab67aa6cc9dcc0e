/**
 * Brings packets to flow again before anything else is done. The kernel's part of a udp network stays while no daemon
 * runs, but nobody carries its packets; so the last known state says what path there was, and etcd's word comes later.
 */
import type { Logger } from 'pino';
import { DEVICE } from '../../backend/udp/plan.js';
import type { DaemonOptions } from '../../config/options/daemon.js';
import { LodenError } from '../../errors.js';
import type { Kernel } from '../../kernel/kernel.js';
import { judgeAll } from '../../lease/judgements.js';
import { formatPrefix } from '../../net/prefix.js';
import { knownIdentity } from '../identity/identity.js';
import { judgeContext } from '../peers/judge-context.js';
import { readUsableState } from '../state/state-check.js';
import type { KnownState } from '../state/state-file.js';
import { surveyHost, viewOf } from '../survey.js';
import type { HeldPath } from './held-path.js';

interface ResumeInput {
  readonly options: DaemonOptions;
  readonly kernel: Kernel;
  readonly heldPath: HeldPath;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const SOURCE = 'the last known state';

/** Opens the path that the state asks for, where its device is there. What is in the way, the start that follows tells. */
export async function resumePacketPath(input: ResumeInput): Promise<void> {
  try {
    // With thousands of leases the state is a large file, and only this device needs it so soon.
    const links = await input.kernel.interfaces(input.signal);
    if (!links.some(({ name }) => name === DEVICE)) return;
    const identity = await knownIdentity(input.options.stateDir);
    const { state } = await readUsableState({ ...input.options, identity });
    if (state) await resume(state, input);
  } catch (error) {
    if (input.signal.aborted) return;
    if (!(error instanceof LodenError)) throw error;
    input.log.debug({ reason: error.message }, 'packet path is not resumed');
  }
}

async function resume({ configText, lease, leases }: KnownState, input: ResumeInput): Promise<void> {
  const { options, kernel, heldPath, log, signal } = input;
  const { subnetFile } = options;
  const survey = await surveyHost({
    configText,
    configSource: SOURCE,
    request: options,
    subnetFile,
    kernel,
    signal,
  });
  const view = viewOf(survey, lease.subnet);
  const wish = survey.backend.packetPath?.(view);
  if (!wish) return;
  // The membership judges them again, and tells of those that are refused.
  const judgements = judgeAll(leases, judgeContext(survey.backend, view, []));
  const peers = [...leases]
    .filter(([key]) => judgements.of(key)?.verdict === 'ok')
    .flatMap(([, each]) => survey.backend.packetPeer?.(view, each) ?? []);
  heldPath.take(wish).setPeers(peers);
  log.info(
    { subnet: formatPrefix(lease.subnet), peers: peers.length },
    'packet path resumed from the last known state',
  );
}
