import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { FileError } from '../../errors.js';
import { type KnownState, stateFile, writeState } from './state-file.js';

/** From a change to the file, so that what changes together is written together. */
const DELAY_MS = 200;
/** From one writing to the next, and at least so many times as long as a writing takes. */
const EVERY_MS = 1000;
const SPARING = 20;
/** How long a disk may keep us from ending. */
const LAST_MS = 500;

/** Writes the last known state after changes, but not at each of them. A file that cannot be written keeps nobody from running. */
export class StateKeeper {
  readonly #stateDir: string;
  readonly #log: Logger;
  #known: (() => KnownState) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #notBefore = 0;
  #failure: string | undefined;

  constructor(stateDir: string, log: Logger) {
    this.#stateDir = stateDir;
    this.#log = log;
  }

  /** `known` is asked when it is written, and told in full then. */
  changed(known: () => KnownState): void {
    this.#known = known;
    this.#schedule();
  }

  /** Removes what is written, and writes no more: nothing of it is ours. */
  async forget(): Promise<void> {
    this.#known = undefined;
    clearTimeout(this.#timer);
    await this.#writing;
    this.#known = undefined;
    // Where nobody may write, the log has said so.
    await rm(stateFile(this.#stateDir), { force: true }).catch(() => undefined);
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const end = new AbortController();
    const last = async () => {
      await this.#writing;
      await this.#write();
    };
    await Promise.race([last(), delay(LAST_MS, undefined, { signal: end.signal }).catch(() => undefined)]);
    end.abort();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#writing !== undefined) return;
    const wait = Math.max(DELAY_MS, this.#notBefore - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#known !== undefined) this.#schedule();
      });
    }, wait).unref();
  }

  async #write(): Promise<void> {
    const known = this.#known;
    if (known === undefined) return;
    this.#known = undefined;
    const started = performance.now();
    try {
      await writeState(this.#stateDir, known());
      if (this.#failure !== undefined) this.#log.info('the last known state can be written again');
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#known ??= known;
      if (this.#failure === undefined)
        this.#log.warn({ error: error.message }, 'the last known state cannot be written, going on without');
      this.#failure = error.message;
    }
    const took = performance.now() - started;
    this.#notBefore = performance.now() + Math.max(EVERY_MS, took * SPARING);
  }
}
