/**
 * The port to where leases live. The real one is etcd (`etcd-store`); a fake in `test/fakes` serves fast tests, and
 * both pass `test/contract/lease-store`.
 *
 * Every method may reject with StoreUnavailableError (retry later) or StoreDeniedError (retry later too: a role or a
 * password may be mended while we run), and with the signal's reason once that is aborted. None retries by itself.
 */

import type { Prefix } from '../net/prefix.js';
import type { Lease, LeaseAttributes } from './lease.js';

/** The subnet key: `10.5.34.0-24`, what stands after `<prefix>/subnets/`. */
export type LeaseKey = string;

export interface LeaseSnapshot {
  readonly leases: ReadonlyMap<LeaseKey, Lease>;
  /** The etcd revision that it shows. */
  readonly revision: number;
  /** Keys under `subnets` that are not leases, or whose value is not; never fatal. */
  readonly skipped: readonly SkippedKey[];
}

export interface SkippedKey {
  /** What stands after `<prefix>/subnets/`; of a key that is elsewhere, all of it. */
  readonly key: string;
  readonly reason: string;
  readonly createRevision: number;
  readonly modRevision: number;
}

export type LeaseUpdate =
  | { readonly kind: 'put'; readonly key: LeaseKey; readonly lease: Lease }
  | { readonly kind: 'delete'; readonly key: LeaseKey }
  | { readonly kind: 'skipped'; readonly skipped: SkippedKey }
  /** The watch lost events (compaction, a cancelled watch, revisions that went back): this is all there is now. */
  | {
      readonly kind: 'snapshot';
      readonly snapshot: LeaseSnapshot;
      /** It is of another etcd, or of an earlier time, restored from a backup: no revision known before means anything. */
      readonly restored?: boolean;
    }
  /**
   * The connection is gone (`reason` says how; `refused`: etcd says that we may not), or is back. Says nothing about
   * leases. While it stays gone this comes again when that is for another reason.
   */
  | { readonly kind: 'disconnected'; readonly reason: string; readonly refused: boolean }
  | { readonly kind: 'connected' };

export interface WatchOptions {
  /** Begin with all that there is now, not with what came after the revision. */
  readonly afresh?: boolean;
}

export type ClaimResult =
  | {
      readonly kind: 'claimed';
      readonly lease: Lease;
      /** Every lease key as of the very revision of our claim, ours included: what to verify the claim against. */
      readonly keys: readonly LeaseKey[];
    }
  | { readonly kind: 'taken' };

export interface LeaseStore {
  /** The network config's text; undefined while there is none. */
  readConfig(signal: AbortSignal): Promise<string | undefined>;

  /** Writes the network config if its text still is `expected`, undefined while there is none; false when it is not. */
  writeConfig(text: string, expected: string | undefined, signal: AbortSignal): Promise<boolean>;

  /** All leases in one range read. */
  snapshot(signal: AbortSignal): Promise<LeaseSnapshot>;

  /**
   * Creates the key with an etcd lease of `ttlSeconds`, if it is absent. `taken` leaves nothing behind. After a
   * rejection the claim may stand all the same: the next snapshot tells.
   */
  claim(
    subnet: Prefix,
    attributes: LeaseAttributes,
    ttlSeconds: number,
    signal: AbortSignal,
  ): Promise<ClaimResult>;

  /**
   * Writes new attributes to a lease that we hold, on the same etcd lease (none for a reservation), or on a new one
   * of `regrantTtlSeconds`. Only if the key is still as `lease` has it (`modRevision`, also that of a skipped key):
   * undefined when it is not.
   */
  publish(
    lease: Lease,
    attributes: LeaseAttributes,
    regrantTtlSeconds: number | undefined,
    signal: AbortSignal,
  ): Promise<Lease | undefined>;

  /**
   * Makes the key a reservation, without an etcd lease, so that it never expires. Only if it is still as `held` has
   * it, or absent when that is undefined; false when it is not.
   */
  reserve(
    subnet: Prefix,
    attributes: LeaseAttributes,
    held: Lease | undefined,
    signal: AbortSignal,
  ): Promise<boolean>;

  /**
   * Keeps an etcd lease alive once. The seconds that it was given; 0 when it has expired. `patienceMs`: how long etcd
   * may take, if that is less than for other calls.
   */
  keepAlive(leaseId: string, signal: AbortSignal, patienceMs?: number): Promise<number>;

  /** Seconds left and seconds granted, without touching the lease; undefined when it has expired, and for `0`. */
  timeToLive(leaseId: string, signal: AbortSignal): Promise<{ left: number; granted: number } | undefined>;

  /** Deletes the key if it is still as `lease` has it; false when it is not. */
  release(lease: Lease, signal: AbortSignal): Promise<boolean>;

  /**
   * What happens to the leases after `revision`, in order, in batches as they arrive. After any gap a `snapshot`
   * update tells the whole state, and so does the first when that is asked for: a revision that was not read just now
   * may be of another history. Reconnects with back-off by itself, never rejects, and ends when the signal is aborted.
   */
  watch(revision: number, signal: AbortSignal, options?: WatchOptions): AsyncIterable<readonly LeaseUpdate[]>;

  /** Use new connections: this host has another address now. Calls under way fail. */
  redial(): void;

  /** Frees the connection. Idempotent. */
  close(): void;
}
