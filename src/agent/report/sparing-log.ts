/**
 * Warnings of what others do: so many a minute, and one that says that there are more. Anybody who may write to etcd
 * could fill the log else, or have a journal that limits its rate drop the lines that matter.
 */
import type { Logger } from 'pino';

const LINES = 100;
const EVERY_MS = 60_000;

export class SparingLog {
  readonly #log: Logger;
  #lines = 0;
  #endsAt = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  warn(fields: object, message: string): void {
    const now = performance.now();
    if (now >= this.#endsAt) {
      this.#endsAt = now + EVERY_MS;
      this.#lines = 0;
    }
    this.#lines += 1;
    if (this.#lines <= LINES) this.#log.warn(fields, message);
    else if (this.#lines === LINES + 1)
      this.#log.warn({ like: message }, 'for a minute no more lines like this; loden leases shows all');
  }
}
