/**
 * Whether a state that is whole is one to begin with here. It may have been written by a loden that knew more backends,
 * have come with another host's disk, or be of a network that the daemon is not pointed to any more.
 */
import type { Logger } from 'pino';
import { checkConfig } from '../../backend/checked-config.js';
import { ConfigError } from '../../errors.js';
import { fitsPool } from '../../lease/fit.js';
import { formatPrefix } from '../../net/prefix.js';
import { type KnownState, type ReadState, readState, stateFile } from './state-file.js';

/** Whose state is wanted, and of which network. */
interface Wanted {
  readonly stateDir: string;
  readonly etcdPrefix: string;
  /** Undefined where this host has none yet. */
  readonly identity: string | undefined;
}

/** As `readState`, but for what is not to begin with. Another network's is nothing to warn of. */
export async function readUsableState({ stateDir, etcdPrefix, identity }: Wanted): Promise<ReadState> {
  const { state, ...rest } = await readState(stateDir);
  if (!state) return rest;
  const obstacle = stateObstacle(state, identity);
  if (obstacle !== undefined) return { warning: `${stateFile(stateDir)}: ${obstacle}` };
  return state.etcdPrefix === etcdPrefix ? { state } : {};
}

/** Reads it each time that it is called, and warns of one that cannot be used: of each reason once, not at each attempt. */
export function stateReader(wanted: Wanted, log: Logger): () => Promise<KnownState | undefined> {
  let told: string | undefined;
  return async () => {
    const { state, warning } = await readUsableState(wanted);
    if (warning !== undefined && warning !== told)
      log.warn({ reason: warning }, 'the last known state cannot be used');
    told = warning;
    return state;
  };
}

/** Why it is not, for the log; undefined where it is. */
export function stateObstacle(state: KnownState, ownIdentity: string | undefined): string | undefined {
  const { attributes, subnet } = state.lease;
  const { identity = ownIdentity } = attributes;
  if (identity !== ownIdentity)
    return `it is of the host with the identity ${identity}, and ours is ${ownIdentity ?? 'not made yet'}`;
  try {
    const { network } = checkConfig(state.configText, 'its network config');
    return fitsPool(network, subnet)
      ? undefined
      : `its lease, ${formatPrefix(subnet)}, is not of its network config`;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
