/**
 * Our own lease, for as long as we run.
 *
 *     held ── KeepAlive, three times per TTL ──▶ held
 *      │ the watch shows our key, or etcd says that the lease has expired
 *      ├── gone       ▶ claimed again at once                 ▶ held, or SubnetLostError
 *      ├── unreadable ▶ the same, over what stands there
 *      ├── rewritten  ▶ published again, on the lease it has  ▶ held
 *      └── taken      ▶ SubnetLostError: another host's name stands there
 */
import type { Logger } from 'pino';
import { systemClock } from '../lease/clock.js';
import { leaseKey } from '../lease/codec.js';
import { equalAttributes, ownKeyState } from '../lease/fit.js';
import { type HoldReport, hold } from '../lease/hold.js';
import type { Lease } from '../lease/lease.js';
import { reclaim, subnetLost } from '../lease/reclaim.js';
import type { LeaseKey, LeaseStore } from '../lease/store.js';
import type { LeaseChange } from '../lease/table.js';
import type { Contact } from './contact.js';
import { persist } from './persist.js';

interface OwnLeaseInput {
  readonly store: LeaseStore;
  /** As acquired. */
  readonly lease: Lease;
  readonly ttlSeconds: number;
  readonly renewMarginSeconds: number;
  readonly contact: Contact;
  readonly log: Logger;
}

export class OwnLease {
  readonly #input: OwnLeaseInput;
  #lease: Lease;
  /** What the store last showed under our key. */
  #seen: Lease | undefined;
  /** The last deletion that was shown was of the key as of this revision. */
  #goneUpTo = Number.NEGATIVE_INFINITY;
  /** Ends the holding, because there is something to settle. */
  #interrupt = new AbortController();

  constructor(input: OwnLeaseInput) {
    this.#input = input;
    this.#lease = input.lease;
    this.#seen = input.lease;
  }

  get key(): LeaseKey {
    return leaseKey(this.#lease);
  }

  /**
   * What the watch shows of our key. `whole` when it comes from a snapshot, and so is what stands there now; a single
   * deletion may be of what we have claimed again since.
   */
  show(change: LeaseChange, whole: boolean): void {
    if (change.kind === 'put') {
      this.#seen = change.lease;
    } else {
      this.#goneUpTo = whole ? Number.POSITIVE_INFINITY : change.previous.modRevision;
      if (this.#isGone()) this.#seen = undefined;
    }
    if (!this.#isHeld()) this.#interrupt.abort();
  }

  /** Settles when the signal is aborted. Rejects with SubnetLostError. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#interrupt = new AbortController();
      const expired = this.#isHeld() && (await this.#hold(AbortSignal.any([signal, this.#interrupt.signal])));
      if (expired) this.#seen = undefined;
      if (signal.aborted || this.#isHeld()) continue;
      this.#lease = await this.#settle(signal);
      if (this.#seen === undefined && !this.#isGone()) this.#seen = this.#lease;
    }
  }

  #isGone(): boolean {
    return this.#goneUpTo >= this.#lease.modRevision;
  }

  #isHeld(): boolean {
    return ownKeyState(this.#lease, this.#seen) === 'held';
  }

  /** Whether the lease has expired; if not, there is something else to settle. */
  async #hold(signal: AbortSignal): Promise<boolean> {
    try {
      await hold({
        ...this.#input,
        lease: this.#lease,
        clock: systemClock,
        random: Math.random,
        report: (report) => this.#tell(report),
        signal,
      });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  async #settle(signal: AbortSignal): Promise<Lease> {
    const { lease, store, log } = this.#input;
    const state = ownKeyState(this.#lease, this.#seen);
    if (state === 'taken') throw subnetLost(this.#lease, this.#seen!.attributes.publicIp);
    this.#goneUpTo = Number.NEGATIVE_INFINITY;
    const held = this.#seen ?? (await this.#reclaim(signal));
    if (equalAttributes(held.attributes, lease.attributes)) return held;
    log.warn({ subnet: this.key }, 'our lease was rewritten by someone else, publishing it again');
    const ours = { ...held, attributes: lease.attributes };
    // When the key has changed meanwhile, the watch shows how, and that is settled next.
    const publish = async () => (await store.publish(held, lease.attributes, undefined, signal)) ?? ours;
    return persist(publish, { waitingFor: 'etcd, to publish our lease again', absent: '', log, signal });
  }

  async #reclaim(signal: AbortSignal): Promise<Lease> {
    const { log } = this.#input;
    log.warn({ subnet: this.key }, 'our lease is gone from etcd, claiming the subnet again');
    const lease = await reclaim({
      ...this.#input,
      lease: { ...this.#lease, attributes: this.#input.lease.attributes },
      clock: systemClock,
      random: Math.random,
      report: (report) => this.#tell(report),
      signal,
    });
    log.info({ subnet: this.key }, 'our subnet is claimed again');
    return lease;
  }

  #tell(report: HoldReport): void {
    const { contact, log } = this.#input;
    switch (report.kind) {
      case 'renewed':
        log.debug({ subnet: this.key, ttlSeconds: report.ttlSeconds }, 'lease renewed');
        break;
      case 'failing':
        contact.lost(report.error.message);
        break;
      case 'recovered':
        contact.back();
        break;
      case 'uncertain':
        log.warn('no answer from etcd for one TTL: the lease may have expired; packets still flow');
    }
  }
}
