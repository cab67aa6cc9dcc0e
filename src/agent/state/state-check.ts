/**
 * Whether a state that is whole is one to begin with here. It may have been written by a loden that knew more backends,
 * or have come with another host's disk.
 */
import { checkConfig } from '../../backend/checked-config.js';
import { ConfigError } from '../../errors.js';
import { fitsPool } from '../../lease/fit.js';
import { formatPrefix } from '../../net/prefix.js';
import type { KnownState } from './state-file.js';

/** Why it is not, for the log; undefined where it is. */
export function stateObstacle(state: KnownState, ownIdentity: string): string | undefined {
  const { attributes, subnet } = state.lease;
  const { identity = ownIdentity } = attributes;
  if (identity !== ownIdentity)
    return `it is of the host with the identity ${identity}, and ours is ${ownIdentity}`;
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
