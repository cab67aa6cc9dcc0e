/**
 * All leases as far as the store has told, folded from its updates. Whoever follows the table sees changes key by key,
 * whatever the update was: a snapshot after a gap is compared with what was known, and only the difference comes out.
 *
 *     store.watch ──▶ put | delete | skipped | snapshot ──▶ LeaseTable.fold ──▶ put | delete, with what was there before
 *
 * An update costs the same with ten leases and with ten thousand; a snapshot costs one comparison per lease.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Lease } from './lease.js';
import type { LeaseKey, LeaseSnapshot, LeaseUpdate } from './store.js';

export type LeaseChange =
  | {
      readonly kind: 'put';
      readonly key: LeaseKey;
      readonly lease: Lease;
      readonly previous: Lease | undefined;
    }
  | { readonly kind: 'delete'; readonly key: LeaseKey; readonly previous: Lease };

export class LeaseTable {
  #leases = new Map<LeaseKey, Lease>();
  #skipped = new Map<string, string>();

  constructor(snapshot?: LeaseSnapshot) {
    if (snapshot) this.#reset(snapshot);
  }

  get leases(): ReadonlyMap<LeaseKey, Lease> {
    return this.#leases;
  }

  /** Keys that are there and are not leases, or whose value is not, with the reason. */
  get skipped(): ReadonlyMap<string, string> {
    return this.#skipped;
  }

  /** Takes an update in and returns what it changed; nothing when it tells what is known. */
  fold(update: LeaseUpdate): readonly LeaseChange[] {
    switch (update.kind) {
      case 'put':
        this.#skipped.delete(update.key);
        return this.#put(update.key, update.lease);
      case 'delete':
        this.#skipped.delete(update.key);
        return this.#delete(update.key);
      case 'skipped':
        // A lease whose value became unreadable is no lease, as it will not be one after a restart either.
        this.#skipped.set(update.skipped.key, update.skipped.reason);
        return this.#delete(update.skipped.key);
      case 'snapshot':
        return this.#reset(update.snapshot);
      case 'disconnected':
      case 'connected':
        return [];
    }
  }

  #put(key: LeaseKey, lease: Lease): readonly LeaseChange[] {
    const previous = this.#leases.get(key);
    if (previous && isDeepStrictEqual(previous, lease)) return [];
    this.#leases.set(key, lease);
    return [{ kind: 'put', key, lease, previous }];
  }

  #delete(key: LeaseKey): readonly LeaseChange[] {
    const previous = this.#leases.get(key);
    this.#leases.delete(key);
    return previous ? [{ kind: 'delete', key, previous }] : [];
  }

  /** Deletions come first, so that what a put needs (a public IP, a MAC) is free by then. */
  #reset(snapshot: LeaseSnapshot): readonly LeaseChange[] {
    const gone = [...this.#leases.keys()].filter((key) => !snapshot.leases.has(key));
    const changes = gone.flatMap((key) => this.#delete(key));
    for (const [key, lease] of snapshot.leases) changes.push(...this.#put(key, lease));
    this.#skipped = new Map(snapshot.skipped.map(({ key, reason }) => [key, reason]));
    return changes;
  }
}
