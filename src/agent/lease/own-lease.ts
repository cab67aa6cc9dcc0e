/**
 * Our own lease, for as long as we run.
 *
 *     held ── KeepAlive, three times per TTL ──▶ held
 *      │ the watch shows our key, or etcd says that the lease has expired
 *      ├── gone       ▶ claimed again, once the config is there   ▶ held, or SubnetLostError
 *      ├── unreadable ▶ the same, over what stands there
 *      ├── rewritten  ▶ published again, on the lease it has      ▶ held
 *      ├── outdated   ▶ the same: we have another address now     ▶ held
 *      ├── taken      ▶ SubnetLostError: another host's name stands there
 *      └── restored   ▶ written over: a backup knows of a holder before us
 */
import type { Logger } from 'pino';
import { systemClock } from '../../lease/clock.js';
import { equalAttributes } from '../../lease/fit.js';
import { type HoldReport, hold } from '../../lease/hold.js';
import { isReservation, type Lease, type LeaseAttributes } from '../../lease/lease.js';
import { OVERWRITTEN, reclaim, subnetLost } from '../../lease/reclaim.js';
import type { LeaseKey, LeaseSnapshot, LeaseStore } from '../../lease/store.js';
import type { LeaseChange } from '../../lease/table.js';
import { type Contact, silenceOf } from '../contact.js';
import type { Ground } from '../ground.js';
import { persist } from '../persist.js';
import { currentMoment, elapsedMs, momentAgo } from '../state/moment.js';
import { OwnKey } from './own-key.js';

/** When the lease was last granted its whole TTL, and how long that is. */
export type Grant = Pick<Ground, 'renewed' | 'ttlSeconds'>;

interface OwnLeaseInput extends Grant {
  readonly store: LeaseStore;
  /** As etcd has it, or had it when it was last asked. */
  readonly lease: Lease;
  /** What our lease should say. */
  readonly attributes: LeaseAttributes;
  /** Of a lease that is granted from now on. */
  readonly newTtlSeconds: number;
  readonly renewMarginSeconds: number;
  readonly contact: Contact;
  readonly log: Logger;
  /** Settles when etcd has the config that we run on: not before that is a subnet of it claimed. */
  readonly mayClaim: (signal: AbortSignal) => Promise<void>;
  /** Called when `lease` or `renewed` has changed. */
  readonly onChange: () => void;
}

export class OwnLease {
  readonly #input: OwnLeaseInput;
  readonly #own: OwnKey;
  #grant: Grant;
  /** Ends the holding, because there is something to settle. */
  #interrupt = new AbortController();

  constructor(input: OwnLeaseInput) {
    this.#input = input;
    this.#own = new OwnKey(input.lease, input.attributes);
    this.#grant = { renewed: input.renewed, ttlSeconds: input.ttlSeconds };
  }

  get key(): LeaseKey {
    return this.#own.key;
  }

  get lease(): Lease {
    return this.#own.lease;
  }

  get grant(): Grant {
    return this.#grant;
  }

  /** Nothing is left to claim, to publish or to decide. */
  get isHeld(): boolean {
    return this.#own.state === 'held';
  }

  /** An event of the watch that is of our key. */
  show(change: LeaseChange): void {
    this.#own.show(change);
    if (!this.isHeld) this.#interrupt.abort();
  }

  /** All that there is. */
  showAll(snapshot: LeaseSnapshot, restored: boolean): void {
    this.#own.showAll(snapshot, restored);
    if (!this.isHeld) this.#interrupt.abort();
  }

  /** Settles when the signal is aborted. Rejects with SubnetLostError. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#interrupt = new AbortController();
      const expired = this.isHeld && (await this.#hold(AbortSignal.any([signal, this.#interrupt.signal])));
      if (expired) this.#own.expire();
      if (signal.aborted || this.isHeld) continue;
      this.#own.settled(await this.#settle(signal));
      this.#input.onChange();
    }
  }

  /** Whether the lease has expired; if not, there is something else to settle. */
  async #hold(signal: AbortSignal): Promise<boolean> {
    try {
      await hold({
        ...this.#input,
        lease: this.lease,
        ttlSeconds: this.#grant.ttlSeconds,
        renewedMs: systemClock.nowMs() - Math.max(elapsedMs(this.#grant.renewed, currentMoment()), 0),
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
    const { attributes, log } = this.#input;
    const { state, isRestored, key: subnet, seen, lease } = this.#own;
    if (state === 'taken' && !isRestored) throw subnetLost(lease, seen!.attributes.publicIp, OVERWRITTEN);
    this.#own.settling();
    const found = seen ?? (await this.#reclaim(signal));
    if (!isRestored && equalAttributes(found.attributes, attributes)) return found;
    const host = found.attributes.challenge?.slice(0, 100);
    if (state === 'outdated')
      log.info({ subnet, publicIp: attributes.publicIp }, 'publishing our lease anew');
    else if (isRestored)
      log.warn({ subnet }, 'our lease is out of an older backup of etcd, publishing it again');
    else if (host)
      log.warn({ host }, 'another host has our public IP or identity, telling it that we are alive');
    else log.warn({ subnet }, 'our lease was rewritten by someone else, publishing it again');
    return this.#publish(found, isRestored, signal);
  }

  async #reclaim(signal: AbortSignal): Promise<Lease> {
    const { log, attributes, mayClaim, contact, newTtlSeconds: ttlSeconds } = this.#input;
    log.warn({ subnet: this.key }, 'our lease is gone from etcd, claiming the subnet again');
    await mayClaim(signal);
    let asked = currentMoment();
    const lease = await reclaim({
      ...this.#input,
      lease: { ...this.lease, attributes },
      ttlSeconds,
      clock: systemClock,
      random: Math.random,
      report: (report) => this.#tell(report),
      onAttempt: () => {
        asked = currentMoment();
      },
      signal,
    });
    contact.back('lease');
    this.#grant = { renewed: asked, ttlSeconds };
    log.info({ subnet: this.key }, 'our subnet is claimed again');
    return lease;
  }

  /** `regrant`: the etcd lease that the key is on is not to be relied on. */
  async #publish(found: Lease, regrant: boolean, signal: AbortSignal): Promise<Lease> {
    const { store, attributes, newTtlSeconds, contact, log } = this.#input;
    const held = regrant ? { ...found, leaseId: this.lease.leaseId } : found;
    const ttl = regrant && !isReservation(held) ? newTtlSeconds : undefined;
    let asked = currentMoment();
    const publish = async (until: AbortSignal) => {
      asked = currentMoment();
      // When the key has changed meanwhile, the watch shows how, and that is settled next.
      return (await store.publish(held, attributes, ttl, until)) ?? { ...held, attributes };
    };
    const waiting = { waitingFor: 'etcd, to publish our lease again', absent: '', log, signal };
    const published = await persist(publish, waiting);
    // A renewal that failed before would tell so only when the next is due.
    contact.back('lease');
    if (ttl !== undefined) this.#grant = { renewed: asked, ttlSeconds: ttl };
    return published;
  }

  #tell(report: HoldReport): void {
    const { contact, log, onChange } = this.#input;
    switch (report.kind) {
      case 'renewed':
        contact.back('lease');
        this.#grant = { ...this.#grant, renewed: momentAgo(systemClock.nowMs() - report.askedMs) };
        onChange();
        log.debug({ subnet: this.key, ttlSeconds: report.ttlSeconds }, 'lease renewed');
        break;
      case 'recovered':
        contact.back('lease');
        break;
      case 'failing':
        contact.lost('lease', silenceOf(report.error));
        break;
      case 'uncertain':
        log.warn('no answer from etcd for one TTL: the lease may have expired; packets still flow');
    }
  }
}
