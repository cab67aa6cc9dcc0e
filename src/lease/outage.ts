import { LodenError } from '../errors.js';
import { type Backoff, backoffMs } from './backoff.js';

/** A state of the store that is worth a log line, told once each time that it is entered. */
export type OutageReport =
  /** The first failure in a row. */
  | { readonly kind: 'failing'; readonly error: LodenError }
  /** The first success after it. */
  | { readonly kind: 'recovered' };

const BACKOFF: Backoff = { firstMs: 100, capMs: 30_000 };

/** Counts failures in a row, and says once that they began and once that they are over. */
export class Outage {
  readonly #report: (report: OutageReport) => void;
  readonly #random: () => number;
  #failures = 0;

  constructor(report: (report: OutageReport) => void, random: () => number) {
    this.#report = report;
    this.#random = random;
  }

  get isOn(): boolean {
    return this.#failures > 0;
  }

  /** Milliseconds to wait before the next try. Throws what a retry will not mend. */
  failed(error: unknown): number {
    if (!(error instanceof LodenError && error.retryable)) throw error;
    if (this.#failures === 0) this.#report({ kind: 'failing', error });
    return backoffMs(this.#failures++, BACKOFF, this.#random);
  }

  succeeded(): void {
    if (this.#failures > 0) this.#report({ kind: 'recovered' });
    this.#failures = 0;
  }
}
