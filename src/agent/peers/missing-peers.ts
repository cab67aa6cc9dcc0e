/**
 * Peers whose leases are missing from etcd, and how long what the kernel has for them stays.
 *
 *     gone from etcd ── half a second of grace ──┬── back meanwhile                          ▶ nothing happened
 *                                                ├── alone, and etcd was there all the time  ▶ let go
 *                                                └── many at once, or etcd had been away     ▶ held
 *     held ── until their time is over, and as long as we cannot claim our own subnet ──▶ let go
 *
 * A wiped or restored etcd tells nothing of hosts: they are there, and will claim their subnets again. Only who comes
 * for the same addresses ends a hold at once.
 */
import type { Logger } from 'pino';
import type { Lease } from '../../lease/lease.js';
import type { LeaseKey } from '../../lease/store.js';

/**
 * How long a lease is missing before its host counts as gone, in milliseconds. A host whose key was deleted while it
 * runs claims its subnet again at once, and no packet to or from it should be lost meanwhile.
 */
const GRACE_MS = 500;
/** Looked at this often while there is no telling. */
const BLIND_MS = 1000;
/** Fewer than this, or not more than a third of all: that happens. */
const MANY = 3;

export function areMany(missing: number, all: number): boolean {
  return missing >= MANY && missing * 3 > all;
}

export interface MissingPeersInput {
  readonly holdMs: number;
  /** How many peers there are, the missing among them. */
  readonly count: () => number;
  /** We do not see etcd, or cannot claim our own subnet: nobody else can either. */
  readonly isBlind: () => boolean;
  readonly letGo: (key: LeaseKey, older: Lease | undefined) => void;
  readonly log: Logger;
}

interface Missing {
  /** As we knew it. */
  readonly lease: Lease;
  /** A backup's, to be gone by when the peer does not come back by itself. */
  readonly older: Lease | undefined;
  /** Milliseconds. */
  dueAt: number;
  held: boolean;
}

export class MissingPeers {
  readonly #input: MissingPeersInput;
  readonly #missing = new Map<LeaseKey, Missing>();
  #doubt: { readonly reason: string; readonly until: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lookAt = Number.POSITIVE_INFINITY;
  #held = 0;
  #heldEver = 0;

  constructor(input: MissingPeersInput) {
    this.#input = input;
  }

  /** Missing peers whose kernel state is kept beyond the grace, now and since the start. */
  get counts(): { readonly held: number; readonly heldEver: number } {
    return { held: this.#held, heldEver: this.#heldEver };
  }

  /** What we knew of them. */
  *leases(): Iterable<[LeaseKey, Lease]> {
    for (const [key, { lease }] of this.#missing) yield [key, lease];
  }

  /** For a while from now, who is missing is held: etcd, not the peer, may be why. */
  doubt(reason: string): void {
    this.#doubt = { reason, until: performance.now() + this.#input.holdMs };
  }

  add(key: LeaseKey, lease: Lease): void {
    this.#add(key, { lease, older: undefined, dueAt: performance.now() + GRACE_MS, held: false });
  }

  /** What etcd has of it is older than what we know: held, and then gone by. */
  addOlder(key: LeaseKey, lease: Lease, older: Lease): void {
    this.#add(key, { lease, older, dueAt: performance.now(), held: false });
  }

  /** It is back, or of no interest any more. */
  remove(key: LeaseKey): void {
    const missing = this.#missing.get(key);
    if (!missing) return;
    this.#missing.delete(key);
    if (!missing.held) return;
    this.#held -= 1;
    if (this.#held === 0) this.#input.log.info('no peer without a lease is held any more');
  }

  has(key: LeaseKey): boolean {
    return this.#missing.has(key);
  }

  /** Somebody has a lease on its addresses: whoever had them before does not come back. */
  giveWay(key: LeaseKey): void {
    const missing = this.#missing.get(key);
    if (missing) this.#letGo(key, missing);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #add(key: LeaseKey, missing: Missing): void {
    this.remove(key);
    this.#missing.set(key, missing);
    this.#lookBy(performance.now() + GRACE_MS);
  }

  #lookBy(at: number): void {
    if (at >= this.#lookAt) return;
    clearTimeout(this.#timer);
    this.#lookAt = at;
    this.#timer = setTimeout(() => this.#look(), Math.max(at - performance.now(), 10)).unref();
  }

  #look(): void {
    const now = performance.now();
    this.#lookAt = Number.POSITIVE_INFINITY;
    const due = [...this.#missing].filter(([, { dueAt }]) => dueAt <= now);
    const [overdue, ripe] = [due.filter(([, { held }]) => held), due.filter(([, { held }]) => !held)];
    const reason = ripe.length > 0 && this.#input.holdMs > 0 ? this.#whyHold(now) : undefined;
    if (reason === undefined) for (const [key, missing] of ripe) this.#letGo(key, missing);
    else this.#hold(ripe, reason, now);
    for (const [key, missing] of overdue) {
      if (this.#input.isBlind()) missing.dueAt = now + BLIND_MS;
      else this.#letGo(key, missing);
    }
    for (const { dueAt } of this.#missing.values()) this.#lookBy(dueAt);
  }

  #whyHold(now: number): string | undefined {
    if (this.#doubt && now < this.#doubt.until) return this.#doubt.reason;
    if (this.#input.isBlind()) return 'our own is missing too';
    const [missing, all] = [this.#missing.size, this.#input.count()];
    return areMany(missing, all) ? `${missing} of ${all} went at once` : undefined;
  }

  #hold(peers: readonly (readonly [LeaseKey, Missing])[], reason: string, now: number): void {
    const { holdMs, log } = this.#input;
    if (this.#held === 0)
      log.warn(
        { peers: peers.length, reason, holdSeconds: holdMs / 1000 },
        'leases are missing from etcd, their peers are held for a while',
      );
    for (const [, missing] of peers) {
      missing.held = true;
      missing.dueAt = now + holdMs;
    }
    this.#held += peers.length;
    this.#heldEver += peers.length;
  }

  #letGo(key: LeaseKey, { older }: Missing): void {
    this.remove(key);
    this.#input.letGo(key, older);
  }
}
