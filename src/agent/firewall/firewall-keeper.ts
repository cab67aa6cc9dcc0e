/**
 * Keeps the firewall's rules as they should be: looks after every change that the kernel tells of, and every resync
 * period, and puts right what is not.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { FirewallError } from '../../errors.js';
import type { Drop, Firewall, FirewallReport, FirewallWish } from '../../firewall/firewall.js';
import { Bell } from '../bell.js';

/**
 * The least time between two looks. A change is looked at at once, but Docker makes many in a row, and one look is
 * enough for all that come within this time. Rules are to be back within a second.
 */
const LOOK_EVERY_MS = 200;

interface KeeperInput {
  readonly firewall: Firewall;
  /** Asked for anew at each look: the containers' bridge comes when Docker does. */
  readonly wish: (signal: AbortSignal) => Promise<FirewallWish>;
  readonly resyncMs: number;
  readonly log: Logger;
}

export class FirewallKeeper {
  readonly #input: KeeperInput;
  readonly #bell = new Bell();
  #changed = false;
  #first = true;
  /** What the log was told of last. */
  #failure: string | undefined;
  readonly #told = new Set<string>();
  /** Rules that drop packets, as of the last look. */
  #suspected: ReadonlySet<string> = new Set();

  constructor(input: KeeperInput) {
    this.#input = input;
  }

  /** Settles when the signal is aborted. Calls `onTried` once, after the first look, whether it went well or not. */
  async run(signal: AbortSignal, onTried: () => void): Promise<void> {
    const ended = new AbortController();
    const listening = this.#listen(this.#input.firewall.events(AbortSignal.any([signal, ended.signal])));
    try {
      while (!signal.aborted) {
        this.#changed = false;
        const next = performance.now() + LOOK_EVERY_MS;
        await this.#look(signal);
        if (this.#first) onTried();
        this.#first = false;
        if (!this.#changed) await this.#bell.wait(this.#input.resyncMs, signal);
        await pauseUntil(next, signal);
      }
    } finally {
      ended.abort();
      await listening;
    }
  }

  async #listen(events: AsyncIterable<void>): Promise<void> {
    for await (const _ of events) {
      this.#changed = true;
      this.#bell.ring();
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { firewall, wish, log } = this.#input;
    try {
      this.#tell(await firewall.apply(await wish(signal), signal));
      if (this.#failure !== undefined) log.info('firewall rules are in place');
      this.#failure = undefined;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof FirewallError)) throw error;
      if (this.#failure !== error.message) {
        log.error({ error: error.message }, 'cannot set firewall rules, trying again');
      }
      this.#failure = error.message;
    }
  }

  #tell({ added, removed, drops }: FirewallReport): void {
    const { log } = this.#input;
    if (this.#first) {
      log.info({ added: added.length, removed: removed.length }, 'firewall programmed');
      log.debug({ added, removed }, 'firewall rules');
    } else if (added.length + removed.length > 0) {
      log.info({ added, removed }, 'firewall rules put right');
    }
    this.#tellOfDrops(drops);
  }

  /** Only of what two looks have seen: while Docker starts, its rules come one by one. */
  #tellOfDrops(drops: readonly Drop[]): void {
    const { log } = this.#input;
    for (const drop of drops) {
      if (!this.#suspected.has(drop.rule) || this.#told.has(drop.rule)) continue;
      log.warn({ ...drop }, 'a firewall rule drops packets between containers');
      this.#told.add(drop.rule);
    }
    this.#suspected = new Set(drops.map(({ rule }) => rule));
    if (drops.length > 0 || this.#told.size === 0) return;
    log.info('no firewall rule drops packets between containers any more');
    this.#told.clear();
  }
}

async function pauseUntil(time: number, signal: AbortSignal): Promise<void> {
  const milliseconds = time - performance.now();
  if (milliseconds > 0) await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
