/**
 * Whether etcd still has the config that this host runs on. Daemons take a config when they start; but an etcd that was
 * out of sight may have come back as another network's, or empty, and then
 *
 *     the same config   ▶ go on; subnets of it may be claimed
 *     another           ▶ this life ends, and the next begins on that one
 *     none, or a wrong  ▶ go on as we are, claim nothing, say so, and look again until that changes
 */
import type { Logger } from 'pino';
import { checkConfig } from '../backend/checked-config.js';
import { ConfigError } from '../errors.js';
import type { LeaseStore } from '../lease/store.js';
import { persist } from './persist.js';

interface ConfigCheckInput {
  readonly store: LeaseStore;
  /** That we run on. */
  readonly configText: string;
  /** For texts: `etcd key /coreos.com/network/config`. */
  readonly configSource: string;
  readonly log: Logger;
}

export class ConfigCheck {
  readonly #input: ConfigCheckInput;
  #wrong: string | undefined;

  constructor(input: ConfigCheckInput) {
    this.#input = input;
  }

  /** Undefined when it is the one that we run on; the text of another one. Settles when there is one that can be used. */
  async otherConfig(signal: AbortSignal): Promise<string | undefined> {
    const { store, configText, configSource, log } = this.#input;
    const text = await persist(async (until) => this.#usable(await store.readConfig(until)), {
      waitingFor: 'the network config',
      absent: `there is no usable ${configSource}; going on as before and claiming nothing meanwhile; write it with: loden config set FILE`,
      log,
      signal,
    });
    return text === configText ? undefined : text;
  }

  #usable(text: string | undefined): string | undefined {
    const { configText, configSource, log } = this.#input;
    if (text === undefined || text === configText) return text;
    try {
      checkConfig(text, configSource);
      return text;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (this.#wrong !== text)
        log.error({ error: error.message }, 'the network config cannot be used, going on as before');
      this.#wrong = text;
      return undefined;
    }
  }
}
