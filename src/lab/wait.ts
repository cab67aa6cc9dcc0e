import { setTimeout as delay } from 'node:timers/promises';
import { LabError } from '../errors.js';

export interface WaitOptions {
  /** Milliseconds; 10 s when absent. */
  readonly deadlineMs?: number;
  /** Milliseconds between two looks; 20 when absent. */
  readonly everyMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** What to tell when it did not come true: a log's end, the last answer. */
  readonly explain?: (() => Promise<string> | string) | undefined;
}

/**
 * Looks again and again until `condition` gives something other than undefined or false, and returns that. Throws
 * LabError, saying `what` was waited for, at the deadline. An error of the condition's own passes through at once.
 */
export async function waitFor<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions = {},
): Promise<T> {
  const { deadlineMs = 10_000, everyMs = 20, signal, explain } = options;
  const end = performance.now() + deadlineMs;
  for (;;) {
    signal?.throwIfAborted();
    const result = await condition();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > end) break;
    await delay(everyMs, undefined, signal === undefined ? {} : { signal });
  }
  const explanation = explain === undefined ? '' : `\n${await explain()}`;
  throw new LabError(`${what}: not within ${deadlineMs / 1000} s${explanation}`);
}
