/**
 * What stands under our key in etcd, as far as we have been shown, against what we hold. Revisions tell what is old news:
 * we write too, and the watch tells of what came before. They say nothing once etcd was restored from a backup.
 */
import { leaseKey } from '../../lease/codec.js';
import {
  contentState,
  equalAttributes,
  isSameBoot,
  isSameHolder,
  type OwnKeyState,
  ownKeyState,
} from '../../lease/fit.js';
import type { Lease, LeaseAttributes } from '../../lease/lease.js';
import type { LeaseKey, LeaseSnapshot } from '../../lease/store.js';
import type { LeaseChange } from '../../lease/table.js';

export class OwnKey {
  readonly #wanted: LeaseAttributes;
  #lease: Lease;
  /** What the store last showed. */
  #seen: Lease | undefined;
  /** The last deletion that was shown was of the key as of this revision. */
  #goneUpTo = Number.NEGATIVE_INFINITY;
  #isRestored = false;

  /** `lease`: as etcd has it, or had it when it was last asked. `wanted`: what it should say. */
  constructor(lease: Lease, wanted: LeaseAttributes) {
    this.#lease = lease;
    this.#seen = lease;
    this.#wanted = wanted;
  }

  get key(): LeaseKey {
    return leaseKey(this.#lease);
  }

  /** As we hold it. */
  get lease(): Lease {
    return this.#lease;
  }

  get seen(): Lease | undefined {
    return this.#seen;
  }

  /** What is seen is out of a backup, from before our time. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** `outdated`: as we wrote it, but we want it to say something else by now. */
  get state(): OwnKeyState | 'outdated' {
    const state = ownKeyState(this.#lease, this.#seen);
    // What we wrote without learning that it was done.
    if (state === 'taken' && this.#isWanted(this.#seen!.attributes)) return 'rewritten';
    return state === 'held' && !equalAttributes(this.#lease.attributes, this.#wanted) ? 'outdated' : state;
  }

  /** An event of the watch. A deletion may be of what we have claimed again since. */
  show(change: LeaseChange): void {
    if (change.kind === 'put') {
      this.#seen = change.lease;
    } else {
      this.#goneUpTo = change.previous.modRevision;
      if (this.#isGone()) this.#seen = undefined;
    }
  }

  /** All that there is, our key or none: what stands there now, unless we have written since. */
  showAll({ leases, revision }: LeaseSnapshot, restored: boolean): void {
    const seen = leases.get(this.key);
    const ours = this.#lease.modRevision;
    if (!restored && revision < ours) return;
    this.#seen = seen;
    if (seen === undefined) this.#goneUpTo = Number.POSITIVE_INFINITY;
    // A key that is older than our writing of it, in a state that is not, is of another history too.
    else if (restored || seen.modRevision < ours) this.#adopt(seen);
  }

  /** etcd says that the lease has expired, and with it the key. */
  expire(): void {
    this.#seen = undefined;
  }

  /** What is seen is being settled; what is shown from now on is news. */
  settling(): void {
    this.#goneUpTo = Number.NEGATIVE_INFINITY;
    this.#isRestored = false;
  }

  settled(lease: Lease): void {
    this.#lease = lease;
    if (this.#seen === undefined && !this.#isGone()) this.#seen = lease;
  }

  #isWanted(attributes: LeaseAttributes): boolean {
    return isSameHolder(this.#wanted, attributes) && isSameBoot(this.#wanted, attributes);
  }

  #isGone(): boolean {
    return this.#goneUpTo >= this.#lease.modRevision;
  }

  /** Out of a backup. Revisions known before say nothing any more. */
  #adopt(seen: Lease): void {
    this.#isRestored = contentState(this.#lease, seen) !== 'held';
    this.#lease = this.#isRestored ? { ...this.#lease, modRevision: seen.modRevision - 1 } : seen;
  }
}
