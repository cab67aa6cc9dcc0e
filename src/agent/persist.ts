import type { Logger } from 'pino';
import { LodenError, PoolFullError } from '../errors.js';
import { type Backoff, backoffMs } from '../lease/backoff.js';
import { systemClock } from '../lease/clock.js';

const BACKOFF: Backoff = { firstMs: 100, capMs: 1000 };
/** Each look at a full pool costs etcd a question per lease. */
const FULL_BACKOFF: Backoff = { firstMs: 1000, capMs: 5000 };
/** While waiting, the log says so this often. */
const REMINDER_MS = 60_000;
/** The first word comes after this time at the latest: an attempt at a dead address takes seconds to fail. */
const SILENCE_MS = 1000;

interface PersistInput {
  /** What is missing, to complete "waiting for …". */
  readonly waitingFor: string;
  /** What to do about it when the attempt answers `undefined` rather than throws. */
  readonly absent: string;
  /** Is told what is waited for before the first attempt, and the reason with it whenever the log is. */
  readonly tell?: (text: string) => void;
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
  input.tell?.(`waiting for ${waitingFor}`);
  let told: { topic: string; at: number } | undefined;
  const tell = ({ reason, topic = reason }: Outcome<T>) => {
    const now = performance.now();
    if (told?.topic === topic && now - told.at < REMINDER_MS) return;
    log.warn({ reason }, `waiting for ${waitingFor}`);
    input.tell?.(`waiting for ${waitingFor}: ${reason}`);
    told = { topic, at: now };
  };
  const silence = setTimeout(() => tell({ reason: 'no result so far' }), SILENCE_MS);
  try {
    for (let failures = 0; ; failures++) {
      const result = await outcome(attempt, absent);
      const { value, backoff = BACKOFF } = result;
      clearTimeout(silence);
      signal.throwIfAborted();
      if (value !== undefined) {
        if (told !== undefined) log.info(`no longer waiting for ${waitingFor}`);
        return value;
      }
      tell(result);
      await systemClock.sleep(backoffMs(failures, backoff, Math.random), signal);
    }
  } finally {
    clearTimeout(silence);
  }
}

interface Outcome<T> {
  readonly value?: T | undefined;
  readonly reason: string;
  /** What the reason is about, where its words change while that stays the same: a full pool's count down. */
  readonly topic?: string;
  readonly backoff?: Backoff;
}

async function outcome<T>(attempt: () => Promise<T | undefined>, absent: string): Promise<Outcome<T>> {
  try {
    return { value: await attempt(), reason: absent };
  } catch (error) {
    if (error instanceof PoolFullError)
      return { reason: error.message, topic: error.code, backoff: FULL_BACKOFF };
    if (error instanceof LodenError && error.retryable) return { reason: error.message };
    throw error;
  }
}
