import { StoreDeniedError, StoreUnavailableError } from '../errors.js';
import { isReservation, type Lease } from './lease.js';
import type { Expiry } from './pool-full.js';
import type { LeaseStore } from './store.js';

/** etcd is asked per lease, so in a huge pool only this many are. */
const ASKED = 1_000;
const AT_ONCE = 20;

/** How long the leases have left that expire. What etcd does not answer is left out: this is for a message. */
export async function expiries(
  { store, signal }: { readonly store: LeaseStore; readonly signal: AbortSignal },
  leases: readonly Lease[],
): Promise<Expiry[]> {
  const queue = leases.filter((lease) => !isReservation(lease)).slice(0, ASKED);
  const found: Expiry[] = [];
  const ask = async () => {
    for (let lease = queue.pop(); lease; lease = queue.pop()) {
      const time = await store.timeToLive(lease.leaseId, signal);
      if (time) found.push({ lease, secondsLeft: time.left });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask)).catch((error: unknown) => {
    if (!(error instanceof StoreUnavailableError || error instanceof StoreDeniedError)) throw error;
  });
  return found;
}
