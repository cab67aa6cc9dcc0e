import type { Logger } from 'pino';
import { LodenError, PoolFullError } from '../errors.js';
import { type Backoff, backoffMs } from '../lease/backoff.js';
import { systemClock } from '../lease/clock.js';

const BACKOFF: Backoff = { firstMs: 100, capMs: 1000 };
/** Each look at a full pool costs etcd a question per lease. */
const FULL_BACKOFF: Backoff = { firstMs: 1000, capMs: 5000 };
/** While waiting, the log says so this often. */
const REMINDER_MS = 60_000;
/** Who names more reasons than that has one each time. */
const MOST_TOPICS = 5;
/** The first word comes after this time at the latest: an attempt at a dead address takes seconds to fail. */
const SILENCE_MS = 1000;

interface PersistInput<T> {
  /** What is missing, to complete "waiting for …". */
  readonly waitingFor: string;
  /** What to do about it when the attempt answers `undefined` rather than throws. */
  readonly absent: string;
  /** Is told what is waited for before the first attempt, and the reason with it whenever the log is. */
  readonly tell?: (text: string) => void;
  /**
   * Asked after each failure, and once when there is no result so far: a value to go on with instead, or why there is
   * none, for the log; undefined where there is nothing to say.
   */
  readonly instead?: (failure: Failure) => { readonly value: T } | { readonly reason: string } | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Why an attempt yielded no value. */
export interface Failure {
  readonly reason: string;
  /** What it threw; undefined when it answered `undefined`, or has not answered yet. */
  readonly error?: LodenError;
}

/**
 * Repeats an attempt until it yields a value. `undefined` and errors that are `retryable` are waited out with
 * back-off; other errors are thrown on. The log tells at once what is waited for and why, again for each new reason and
 * once a minute, and when it is over. The signal that an attempt is given ends it when it is not waited for
 * any more.
 */
export async function persist<T>(
  attempt: (signal: AbortSignal) => Promise<T | undefined>,
  input: PersistInput<T>,
): Promise<T> {
  const { log, waitingFor, absent } = input;
  const over = new AbortController();
  const signal = AbortSignal.any([input.signal, over.signal]);
  const teller = new Teller(input);
  const silence = new Silence();
  input.tell?.(`waiting for ${waitingFor}`);
  try {
    for (let failures = 0; ; failures++) {
      const pending = outcome(() => attempt(signal), absent);
      if (await silence.isBefore(pending)) {
        const other = teller.failed(SILENT);
        if (other) return other.value;
      }
      const result = await pending;
      input.signal.throwIfAborted();
      if (result.value !== undefined) {
        if (teller.hasTold) log.info(`no longer waiting for ${waitingFor}`);
        return result.value;
      }
      const other = teller.failed(result);
      if (other) return other.value;
      await systemClock.sleep(backoffMs(failures, result.backoff ?? BACKOFF, Math.random), signal);
    }
  } finally {
    over.abort();
    silence.end();
  }
}

interface Outcome<T> extends Failure {
  readonly value?: T | undefined;
  /** What the reason is about, where its words change while that stays the same: a full pool's count down. */
  readonly topic?: string;
  readonly backoff?: Backoff;
}

const SILENT = { reason: 'no result so far' };

async function outcome<T>(attempt: () => Promise<T | undefined>, absent: string): Promise<Outcome<T>> {
  try {
    return { value: await attempt(), reason: absent };
  } catch (error) {
    if (!(error instanceof LodenError && error.retryable)) throw error;
    const { message: reason, code: topic } = error;
    return error instanceof PoolFullError
      ? { reason, error, topic, backoff: FULL_BACKOFF }
      : { reason, error };
  }
}

/** Says what is waited for, for each reason once, or finds what to go on with instead. */
class Teller<T> {
  readonly #input: PersistInput<T>;
  /** Of three etcd members each fails in its own words, again and again. */
  readonly #topics = new Set<string>();
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(input: PersistInput<T>) {
    this.#input = input;
  }

  get hasTold(): boolean {
    return this.#topics.size > 0;
  }

  failed({ topic, ...failure }: Outcome<T>): { readonly value: T } | undefined {
    const other = this.#input.instead?.(failure);
    if (other && 'value' in other) return other;
    const reason = other ? `${failure.reason}; ${other.reason}` : failure.reason;
    this.#tell(reason, topic ?? reason);
    return undefined;
  }

  #tell(reason: string, topic: string): void {
    const { log, waitingFor, tell } = this.#input;
    const now = performance.now();
    const isNew = !this.#topics.has(topic) && this.#topics.size < MOST_TOPICS;
    if (!isNew && now - this.#toldAt < REMINDER_MS) return;
    log.warn({ reason }, `waiting for ${waitingFor}`);
    tell?.(`waiting for ${waitingFor}: ${reason}`);
    this.#topics.add(topic);
    this.#toldAt = now;
  }
}

/** Comes once, a while after the start, unless there is an outcome before. */
class Silence {
  #timer: NodeJS.Timeout | undefined;
  readonly #fallen = new Promise<void>((resolve) => {
    this.#timer = setTimeout(resolve, SILENCE_MS);
  });

  async isBefore(outcome: Promise<unknown>): Promise<boolean> {
    if (this.#timer === undefined) return false;
    const isBefore = await Promise.race([this.#fallen.then(() => true), outcome.then(() => false)]);
    this.end();
    return isBefore;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
