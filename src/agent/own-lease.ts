/**
 * Our own lease, for as long as we run.
 *
 *     held ── KeepAlive, three times per TTL ──▶ held
 *      │ the watch shows our key, or etcd says that the lease has expired
 *      ├── gone       ▶ claimed again at once                 ▶ held, or SubnetLostError
 *      ├── rewritten  ▶ published again, on the lease it has  ▶ held
 *      └── taken      ▶ SubnetLostError: another host's name stands there
 */
import type { Logger } from 'pino';
import { systemClock } from '../lease/clock.js';
import { leaseKey } from '../lease/codec.js';
import { ownKeyState } from '../lease/fit.js';
import { type HoldReport, hold } from '../lease/hold.js';
import type { Lease } from '../lease/lease.js';
import { reclaim, subnetLost } from '../lease/reclaim.js';
import type { LeaseKey, LeaseStore } from '../lease/store.js';

interface OwnLeaseInput {
  readonly store: LeaseStore;
  /** As acquired. */
  readonly lease: Lease;
  readonly ttlSeconds: number;
  readonly renewMarginSeconds: number;
  readonly log: Logger;
}

export class OwnLease {
  readonly #input: OwnLeaseInput;
  #lease: Lease;
  /** What the store last showed under our key. */
  #seen: Lease | undefined;
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

  /** The watch shows our key: the lease that stands there now, or that there is none. */
  show(seen: Lease | undefined): void {
    this.#seen = seen;
    if (ownKeyState(this.#lease, seen) !== 'held') this.#interrupt.abort();
  }

  /** Settles when the signal is aborted. Rejects with SubnetLostError. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const expired = await this.#hold(AbortSignal.any([signal, this.#interrupt.signal]));
      if (signal.aborted) return;
      if (expired) this.#seen = undefined;
      this.#interrupt = new AbortController();
      this.#lease = await this.#settle(signal);
      this.#seen = this.#lease;
    }
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
    const { store, ttlSeconds, log } = this.#input;
    const seen = this.#seen;
    const state = ownKeyState(this.#lease, seen);
    if (state === 'taken') throw subnetLost(this.#lease, seen?.attributes.publicIp);
    if (state === 'rewritten' && seen !== undefined) {
      log.warn({ subnet: this.key }, 'our lease was rewritten by someone else, publishing it again');
      const published = await store.publish(seen, this.#lease.attributes, undefined, signal);
      if (published) return published;
    }
    log.warn({ subnet: this.key }, 'our lease is gone from etcd, claiming the subnet again');
    const lease = await reclaim({
      store,
      lease: this.#lease,
      ttlSeconds,
      clock: systemClock,
      random: Math.random,
      report: (report) => this.#tell(report),
      signal,
    });
    log.info({ subnet: this.key }, 'our subnet is claimed again');
    return lease;
  }

  #tell(report: HoldReport): void {
    const { log } = this.#input;
    switch (report.kind) {
      case 'renewed':
        log.debug({ subnet: this.key, ttlSeconds: report.ttlSeconds }, 'lease renewed');
        break;
      case 'failing':
        log.warn(
          { reason: report.error.message },
          'cannot renew the lease, trying again; packets still flow',
        );
        break;
      case 'recovered':
        log.info('etcd answers again');
        break;
      case 'uncertain':
        log.warn('no answer from etcd for one TTL: the lease may have expired; packets still flow');
    }
  }
}
