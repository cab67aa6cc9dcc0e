/**
 * Finds out whether the host that holds a lease is alive. etcd does not say so: a lease lasts for a day without its
 * host. So the host is asked, through the lease itself:
 *
 *     newcomer ── the lease as it is, and LodenChallenge ──▶ etcd ── watch ──▶ holder
 *     newcomer ◀── watch ── etcd ◀── the lease as it was, as after every change that is not its own ── holder
 *
 * A holder that does not answer in time is gone, and the lease goes to the newcomer, if nobody wrote to it since. What
 * other hosts go by stays the same all along, so no packet goes another way because somebody asked.
 *
 * Of several newcomers the first to ask has the word; the others let the time for its answer pass.
 */
import { StoreUnavailableError } from '../errors.js';
import type { Clock } from './clock.js';
import { leaseKey } from './codec.js';
import { isSameBoot, isSameHolder } from './fit.js';
import type { HostMarks, Lease } from './lease.js';
import type { LeaseStore, LeaseUpdate } from './store.js';

/** A holder answers within milliseconds; one that is being loaded with ten thousand leases, within a second. */
export const ANSWER_MS = 3_000;

interface ChallengeInput {
  readonly store: LeaseStore;
  readonly clock: Clock;
  /** Who asks. */
  readonly host: HostMarks;
  readonly signal: AbortSignal;
}

export type Answer =
  | { readonly kind: 'alive' }
  /** Nobody answered; the lease as it stands now, for whoever asked. */
  | { readonly kind: 'silent'; readonly lease: Lease }
  /** The lease is not what it was: read it again. */
  | { readonly kind: 'changed' };

/** Rejects as the store does, with StoreUnavailableError also when etcd goes away meanwhile. */
export async function challenge(input: ChallengeInput, lease: Lease): Promise<Answer> {
  const { store, host, signal } = input;
  const { attributes } = lease;
  if (attributes.challenge !== undefined && (await nextWord(input, lease)) !== 'none')
    return { kind: 'changed' };
  const asking = { ...attributes, challenge: `${host.publicIp} ${host.identity}` };
  const asked = await store.publish(lease, asking, undefined, signal);
  if (!asked) return { kind: 'changed' };
  const word = await nextWord(input, asked);
  if (word === 'none') return { kind: 'silent', lease: asked };
  return { kind: word === 'answer' ? 'alive' : 'changed' };
}

/** What becomes of the lease in the time that there is for an answer. */
async function nextWord(
  { store, clock, signal }: ChallengeInput,
  lease: Lease,
): Promise<'none' | 'answer' | 'other'> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const timer = clock.sleep(ANSWER_MS, until).then(
    () => over.abort(),
    () => undefined,
  );
  try {
    for await (const updates of store.watch(lease.modRevision, until)) {
      for (const update of updates) {
        if (update.kind === 'disconnected') throw new StoreUnavailableError(update.reason);
        const word = wordOn(lease, update);
        if (word) return word;
      }
    }
    signal.throwIfAborted();
    return 'none';
  } finally {
    over.abort();
    await timer;
  }
}

function wordOn(lease: Lease, update: LeaseUpdate): 'answer' | 'other' | undefined {
  const key = leaseKey(lease);
  if (update.kind === 'put') return update.key === key ? meaning(lease, update.lease) : undefined;
  if (update.kind === 'delete') return update.key === key ? 'other' : undefined;
  if (update.kind === 'skipped') return update.skipped.key === key ? 'other' : undefined;
  if (update.kind !== 'snapshot') return undefined;
  const found = update.snapshot.leases.get(key);
  if (found?.modRevision === lease.modRevision) return undefined;
  return found ? meaning(lease, found) : 'other';
}

function meaning(asked: Lease, { attributes }: Lease): 'answer' | 'other' {
  const same = isSameHolder(asked.attributes, attributes) && isSameBoot(asked.attributes, attributes);
  return same && attributes.challenge === undefined ? 'answer' : 'other';
}
