import type { Clock } from '../../src/lease/clock.js';

/** Time that passes only when the test says so. */
export class FakeClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly dueMs: number; wake(): void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      const wake = () => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      this.#timers.add({ dueMs: this.#nowMs + ms, wake });
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
    });
  }

  /** Lets time pass: whoever sleeps is woken in order, and does what it does before the next is. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await settled();
      const next = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)[0];
      if (!next || next.dueMs > endMs) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.wake();
    }
    this.#nowMs = endMs;
    await settled();
  }
}

/** Whoever sleeps is woken at once. */
export const hurriedClock: Clock = {
  nowMs: () => 0,
  sleep: async (_ms, signal) => {
    await settled();
    signal.throwIfAborted();
  },
};

/** After this, all that promises alone could do is done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
