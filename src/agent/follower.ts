/** Follows the leases in etcd, and passes on what changes: to the keeper of our own, and to the peers. */
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import { equalAttributes } from '../lease/fit.js';
import type { Lease } from '../lease/lease.js';
import type { LeaseKey, LeaseSnapshot, LeaseStore, LeaseUpdate, SkippedKey } from '../lease/store.js';
import { type LeaseChange, LeaseTable } from '../lease/table.js';
import type { Contact } from './contact.js';
import type { OwnLease } from './lease/own-lease.js';
import type { Peers } from './peers/peers.js';
import { SparingLog } from './report/sparing-log.js';

export interface FollowerInput {
  readonly store: LeaseStore;
  readonly contact: Contact;
  readonly own: OwnLease;
  readonly peers: Peers;
  /** Who is missing so long after an outage is held. */
  readonly holdMs: number;
  /** What we know of leases has changed. */
  readonly onChange: () => void;
  /** etcd is back, and may not be the one that we knew. */
  readonly onReturn: () => void;
  readonly log: Logger;
}

/** Leases judged at a stretch, a few milliseconds, before the event loop may turn. */
const CHANGES_PER_TURN = 1000;

/** Why who is missing is held. */
const OUT_OF_REACH = 'etcd was out of reach';

export class Follower {
  readonly #input: FollowerInput;
  readonly #log: SparingLog;
  readonly #table = new LeaseTable();
  #revision = 0;

  constructor(input: FollowerInput) {
    this.#input = input;
    this.#log = new SparingLog(input.log);
  }

  /** All leases, as of this revision; live, not a copy. */
  get known(): { readonly leases: ReadonlyMap<LeaseKey, Lease>; readonly revision: number } {
    return { leases: this.#table.leases, revision: this.#revision };
  }

  get skippedKeys(): number {
    return this.#table.skipped.size;
  }

  /** Before anything is followed: what is known already. */
  async begin(snapshot: LeaseSnapshot): Promise<void> {
    await this.#learnAll(snapshot, false);
  }

  /** From what was known on, or, `afresh`, from all that there is now. Settles when the signal is aborted. */
  async run(afresh: boolean, signal: AbortSignal): Promise<void> {
    for await (const updates of this.#input.store.watch(this.#revision, signal, { afresh })) {
      for (const update of updates) await this.#learn(update);
      await this.#input.peers.settle();
      this.#input.onChange();
    }
  }

  async #learn(update: LeaseUpdate): Promise<void> {
    const { contact, onReturn, own, peers } = this.#input;
    switch (update.kind) {
      case 'disconnected':
        contact.lost('watch', update);
        break;
      case 'connected':
        contact.back('watch');
        peers.doubt(OUT_OF_REACH);
        onReturn();
        break;
      case 'snapshot':
        contact.back('watch');
        onReturn();
        own.showAll(update.snapshot, update.restored === true);
        await this.#learnAll(update.snapshot, update.restored === true);
        break;
      case 'skipped':
        this.#warnOfSkipped([update.skipped], this.#table.skipped.size + 1);
        for (const change of this.#table.fold(update)) this.#pass(change);
        break;
      default:
        for (const change of this.#table.fold(update)) this.#pass(change);
    }
  }

  async #learnAll(snapshot: LeaseSnapshot, restored: boolean): Promise<void> {
    const { contact, holdMs, own, peers } = this.#input;
    this.#warnOfSkipped(snapshot.skipped, snapshot.skipped.length);
    this.#revision = snapshot.revision;
    if (restored) peers.doubt('etcd was restored from a backup');
    else if (contact.wasAwayWithin(holdMs)) peers.doubt(OUT_OF_REACH);
    for (const [index, change] of this.#table.fold({ kind: 'snapshot', snapshot }).entries()) {
      if (change.key !== own.key) this.#passPeer(change, restored);
      if (index % CHANGES_PER_TURN === CHANGES_PER_TURN - 1) await setImmediate();
    }
    await peers.settle();
  }

  #pass(change: LeaseChange): void {
    const { own, peers } = this.#input;
    if (change.kind === 'put') this.#revision = Math.max(this.#revision, change.lease.modRevision);
    if (change.key === own.key) {
      own.show(change);
      if (!own.isHeld) peers.doubt('our own is missing too');
    } else this.#passPeer(change, false);
  }

  #passPeer(change: LeaseChange, restored: boolean): void {
    const { peers } = this.#input;
    const { key, previous } = change;
    if (change.kind === 'delete') peers.delete(key, change.previous);
    else if (restored && previous && isOutdated(change.lease, previous))
      peers.putOlder(key, previous, change.lease);
    else peers.put(key, change.lease);
  }

  /** `count` is how many there are in all. */
  #warnOfSkipped(skipped: readonly SkippedKey[], count: number): void {
    for (const { key, reason } of skipped) {
      if (this.#table.skipped.get(key) === reason) continue;
      this.#log.warn({ key, reason, count }, 'skipped a key that is no lease');
    }
  }
}

function isOutdated(lease: Lease, known: Lease): boolean {
  return lease.modRevision < known.modRevision && !equalAttributes(lease.attributes, known.attributes);
}
