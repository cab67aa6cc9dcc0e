/**
 * Keeps our lease alive while we run. A renewal is etcd's KeepAlive on the lease's own id: no write, hence no event on
 * ten thousand hosts. One is due three times per TTL, or more often when the margin asks for it.
 *
 *     renewed ────────── due ──▶ renewed ────────── due ──▶ failing … back-off … recovered, renewed
 *        └──────────────────── TTL ───────────────────┘        └── or: TTL since the last answer ──▶ uncertain
 *
 * A member of etcd that is silent is given up after a third of the TTL, so that another one can be asked in time.
 *
 * `uncertain` means that the lease may have expired; only etcd can say. Nothing is taken down for it: packets flow
 * without etcd. That the key itself was deleted, or changed, the watch tells, not this.
 */
import type { Clock } from './clock.js';
import { isReservation, type Lease } from './lease.js';
import { Outage, type OutageReport } from './outage.js';
import type { LeaseStore } from './store.js';

export type HoldReport =
  | OutageReport
  /** `askedMs`: by the clock, a moment before etcd granted it. */
  | { readonly kind: 'renewed'; readonly ttlSeconds: number; readonly askedMs: number }
  /** No answer for one TTL: told once, until the next answer. */
  | { readonly kind: 'uncertain' };

export interface HoldInput {
  readonly store: LeaseStore;
  readonly lease: Lease;
  /** By the clock: when its whole TTL was ahead. */
  readonly renewedMs: number;
  readonly ttlSeconds: number;
  /** `--subnet-lease-renew-margin`: how long before its end a lease is to be renewed at the latest. */
  readonly renewMarginSeconds: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  report(report: HoldReport): void;
}

/** The longest that Node can wait is 24 days; and a lease is worth a look each day, however long it is. */
const DAY_SECONDS = 86_400;

/** What a busy etcd needs, however short the TTL. */
const LEAST_PATIENCE_MS = 1_000;

export function renewIntervalSeconds(ttlSeconds: number, renewMarginSeconds: number): number {
  const beforeMargin = ttlSeconds - renewMarginSeconds;
  const interval = Math.min(ttlSeconds / 3, DAY_SECONDS);
  return beforeMargin > 0 ? Math.min(interval, beforeMargin) : interval;
}

/** Settles when etcd says that the lease has expired; rejects with the signal's reason. A reservation never expires. */
export async function hold(input: HoldInput): Promise<void> {
  const { store, lease, ttlSeconds, clock, signal } = input;
  const intervalMs = renewIntervalSeconds(ttlSeconds, input.renewMarginSeconds) * 1_000;
  const patienceMs = Math.max((ttlSeconds * 1_000) / 3, LEAST_PATIENCE_MS);
  const outage = new Outage(input.report, input.random);
  let deadlineMs = input.renewedMs + ttlSeconds * 1_000;
  let certain = true;
  let waitMs = Math.max(input.renewedMs + intervalMs - clock.nowMs(), 0);
  if (isReservation(lease)) return untilAborted(signal);
  for (;;) {
    const leftMs = Math.max(deadlineMs - clock.nowMs(), 0);
    await clock.sleep(certain ? Math.min(waitMs, leftMs) : waitMs, signal);
    if (certain && outage.isOn && clock.nowMs() >= deadlineMs) {
      certain = false;
      input.report({ kind: 'uncertain' });
    }
    // What etcd grants it counts from a moment after this one.
    const askedMs = clock.nowMs();
    try {
      const granted = await store.keepAlive(lease.leaseId, signal, patienceMs);
      outage.succeeded();
      if (granted === 0) return;
      input.report({ kind: 'renewed', ttlSeconds: granted, askedMs });
      certain = true;
      deadlineMs = askedMs + granted * 1_000;
      waitMs = intervalMs;
    } catch (error) {
      signal.throwIfAborted();
      waitMs = outage.failed(error);
    }
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
