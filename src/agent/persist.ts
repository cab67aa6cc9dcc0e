import type { Logger } from 'pino';
import { LodenError } from '../errors.js';
import { backoffMs } from '../lease/backoff.js';
import { systemClock } from '../lease/clock.js';

const BACKOFF = { firstMs: 100, capMs: 1000 };
/** While waiting, the log says so this often. */
const REMINDER_MS = 60_000;
/** The first word comes after this time at the latest: an attempt at a dead address takes seconds to fail. */
const SILENCE_MS = 1000;

interface PersistInput {
  /** What is missing, to complete "waiting for …". */
  readonly waitingFor: string;
  /** What to do about it when the attempt answers `undefined` rather than throws. */
  readonly absent: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Repeats an attempt until it yields a value. `undefined` and errors that are `retryable` are waited out with
 * back-off; other errors are thrown on. The log tells at once what is waited for and why, again whenever the reason
 * changes and once a minute, and when it is over.
 */
export async function persist<T>(attempt: () => Promise<T | undefined>, input: PersistInput): Promise<T> {
  const { log, signal, waitingFor, absent } = input;
  let told: { reason: string; at: number } | undefined;
  const tell = (reason: string) => {
    const now = performance.now();
    if (told?.reason === reason && now - told.at < REMINDER_MS) return;
    log.warn({ reason }, `waiting for ${waitingFor}`);
    told = { reason, at: now };
  };
  const silence = setTimeout(() => tell('no result so far'), SILENCE_MS);
  try {
    for (let failures = 0; ; failures++) {
      const { value, reason } = await outcome(attempt, absent);
      clearTimeout(silence);
      signal.throwIfAborted();
      if (value !== undefined) {
        if (told !== undefined) log.info(`no longer waiting for ${waitingFor}`);
        return value;
      }
      tell(reason);
      await systemClock.sleep(backoffMs(failures, BACKOFF, Math.random), signal);
    }
  } finally {
    clearTimeout(silence);
  }
}

async function outcome<T>(attempt: () => Promise<T | undefined>, absent: string) {
  try {
    return { value: await attempt(), reason: absent };
  } catch (error) {
    if (error instanceof LodenError && error.retryable) return { value: undefined, reason: error.message };
    throw error;
  }
}
