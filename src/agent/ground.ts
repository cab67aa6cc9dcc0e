/** What a life begins with: our lease, and everybody's as far as is known. */
import type { Acquired } from '../lease/acquire.js';
import type { Lease } from '../lease/lease.js';
import type { LeaseSnapshot } from '../lease/store.js';
import type { Moment } from './state/moment.js';
import type { KnownState } from './state/state-file.js';

export interface Ground {
  /** As etcd has it, or had it when it was last asked. */
  readonly lease: Lease;
  /** When it was last granted its whole TTL, and how long that is. */
  readonly renewed: Moment;
  readonly ttlSeconds: number;
  readonly snapshot: LeaseSnapshot;
  /** The snapshot is of some time ago: etcd is asked for all when it answers, not for what came after. */
  readonly afresh: boolean;
  /** What was known before the snapshot, where that lacks many of it: those may be back in a moment. */
  readonly remembered?: LeaseSnapshot | undefined;
  /** Why a lease that is missing now does not mean that its host has gone. */
  readonly doubt?: string | undefined;
}

/** `asked`: just before the lease was granted. */
export function groundFromEtcd({ lease, snapshot }: Acquired, ttlSeconds: number, asked: Moment): Ground {
  return { lease, renewed: asked, ttlSeconds, snapshot, afresh: false };
}

/** With what the last run knew. Peers that the config has no room for any more are refused when they are judged. */
export function withRemembered(ground: Ground, { leases, revision }: KnownState): Ground {
  return { ...ground, remembered: { leases, revision, skipped: [] } };
}

export function groundFromState({ lease, renewed, ttlSeconds, leases, revision }: KnownState): Ground {
  return { lease, renewed, ttlSeconds, snapshot: { leases, revision, skipped: [] }, afresh: true };
}

export function stateOf(
  { lease, renewed, ttlSeconds, snapshot }: Ground,
  network: Pick<KnownState, 'etcdPrefix' | 'configText'>,
): KnownState {
  const { leases, revision } = snapshot;
  return { ...network, lease, renewed, ttlSeconds, leases, revision };
}
