/**
 * Whether the lease that we remember still is ours, when etcd cannot be asked.
 *
 *   same boot    CLOCK_BOOTTIME decides: nobody sets it, and it counts a suspended machine's time
 *   another boot the wall clock decides, unless it is plainly wrong: before the moment that we remember, as on a machine
 *                without a clock of its own, or one whose clock was set back
 *
 * A wall clock that is ahead makes the lease seem older than it is, which is the safe side. It may be put right while we
 * wait, so this is asked again and again.
 */
import { elapsedMs, type Moment } from './moment.js';

export type LeaseAge =
  /** It cannot have expired. */
  | { readonly kind: 'ours'; readonly secondsLeft: number }
  /** `reason` completes "the last known state is not used: …". It is the same text each time. */
  | { readonly kind: 'doubtful'; readonly reason: string };

/** Clocks drift, and etcd may have granted some seconds before we took the time: a minute, of a short TTL a tenth. */
const MARGIN_SECONDS = 60;

export function leaseAge(renewed: Moment, ttlSeconds: number, now: Moment): LeaseAge {
  const elapsed = elapsedMs(renewed, now);
  if (elapsed < 0)
    return doubtful(`the clock shows a time before ${textOf(renewed.wallMs)}, when our lease was renewed`);
  const left = ttlSeconds - Math.min(MARGIN_SECONDS, ttlSeconds / 10) - elapsed / 1000;
  if (left > 0) return { kind: 'ours', secondsLeft: Math.floor(left) };
  return doubtful(
    `our lease may have expired, as it was last renewed at ${textOf(renewed.wallMs)} for ${ttlSeconds} s`,
  );
}

function doubtful(reason: string): LeaseAge {
  return { kind: 'doubtful', reason };
}

/** Any number of milliseconds, also one that is no date. */
function textOf(wallMs: number): string {
  return new Date(Math.min(wallMs, 8.64e15)).toISOString().replace(/\.\d+Z$/, 'Z');
}
