/**
 * One life of the daemon: it begins with a config, a host as surveyed and a lease, and ends with the signal, or when the
 * ground under it has changed: another uplink, address or MTU; another config in an etcd that had been out of sight.
 * Then the next life begins over the same kernel, whose difference does the rest. Nothing is taken down between them, so
 * no packet is lost.
 */
import type { Logger } from 'pino';
import { ConfigError, UplinkError } from '../errors.js';
import { systemClock } from '../lease/clock.js';
import type { AgentPorts } from './agent.js';
import { announce } from './announce.js';
import { ConfigCheck } from './config-check.js';
import type { Contact } from './contact.js';
import { type Ground, stateOf } from './ground.js';
import { Membership } from './membership.js';
import type { StateKeeper } from './state-keeper.js';
import { type Survey, surveyHost } from './survey.js';
import { together } from './together.js';
import { uplinkChanged } from './uplink-watch.js';

export interface LifeInput extends AgentPorts {
  readonly identity: string;
  readonly contact: Contact;
  readonly keeper: StateKeeper;
  readonly configText: string;
  readonly configSource: string;
  readonly survey: Survey;
  readonly ground: Ground;
  /** A life came before: Docker and others have our subnet file already. */
  readonly continues: boolean;
  readonly onReady: (survey: Survey, ground: Ground) => void;
}

/** What the next life begins with. Without a ground there is a lease to acquire first. */
export interface NextLife {
  readonly configText: string;
  readonly survey: Survey;
  readonly ground?: Ground;
}

/** How long a host that cannot be surveyed is left alone. */
const AGAIN_MS = 1000;

export class Life {
  readonly #input: LifeInput;
  readonly #log: Logger;
  readonly #check: ConfigCheck;
  readonly #over = new AbortController();
  #next: NextLife | undefined;
  /** Under way, or done: asked again when etcd is back again. */
  #checking: Promise<void> | undefined;

  constructor(input: LifeInput) {
    this.#input = input;
    this.#log = input.log;
    this.#check = new ConfigCheck(input);
  }

  /** Undefined when the signal was aborted. Throws as `runAgent` does. */
  async run(signal: AbortSignal): Promise<NextLife | undefined> {
    const { survey, ground, onReady, keeper, configText, options } = this.#input;
    const until = AbortSignal.any([signal, this.#over.signal]);
    const docker = await announce(this.#input, until);
    const known = () => stateOf(membership.ground, { etcdPrefix: options.etcdPrefix, configText });
    const membership = new Membership({
      ...this.#input,
      mayClaim: (waiting) => this.#confirmConfig(until, waiting),
      onReturn: () => void this.#confirmConfig(until, until).catch(() => undefined),
      onChange: () => keeper.changed(known),
    });
    keeper.changed(known);
    await together(until, [
      (stop) => membership.run(stop, () => onReady(survey, ground)),
      async (stop) => docker?.settle(stop),
      (stop) => this.#followUplink(membership, stop),
    ]);
    return signal.aborted ? undefined : this.#next;
  }

  /** Settles when etcd has the config that we run on; with another one this life ends. */
  #confirmConfig(until: AbortSignal, waiting: AbortSignal): Promise<void> {
    this.#checking ??= this.#checkConfig(until).finally(() => {
      this.#checking = undefined;
    });
    waiting.throwIfAborted();
    return this.#checking;
  }

  async #checkConfig(until: AbortSignal): Promise<void> {
    const other = await this.#check.otherConfig(until);
    if (other === undefined) return;
    this.#log.warn('etcd has another network config than the one we run on, going over to it');
    this.#end({ configText: other, survey: await this.#surveyAgain(other, until) });
    until.throwIfAborted();
  }

  async #followUplink(membership: Membership, signal: AbortSignal): Promise<void> {
    const { options, kernel, survey, configText } = this.#input;
    const watch = {
      kernel,
      request: options,
      uplink: survey.uplink,
      resyncMs: options.resyncSeconds * 1000,
      onLook: this.#tellOfMissing(),
    };
    const { reason } = await uplinkChanged(watch, signal);
    this.#log.warn({ reason }, 'the uplink has changed, going over to it');
    const next = await this.#surveyAgain(configText, signal);
    this.#end({ configText, survey: next, ground: membership.ground });
  }

  #tellOfMissing(): (reason: string | undefined) => void {
    let told = false;
    return (reason) => {
      if (reason !== undefined && !told)
        this.#log.error({ reason }, 'the uplink is gone, waiting for it; everything else stays as it is');
      if (reason === undefined && told) this.#log.info('the uplink is back');
      told = reason !== undefined;
    };
  }

  #end(next: NextLife): void {
    this.#next = next;
    this.#over.abort();
  }

  /** Until there is something to go over to, all stays as it is. */
  async #surveyAgain(configText: string, signal: AbortSignal): Promise<Survey> {
    const { options, kernel, configSource } = this.#input;
    const { subnetFile } = options;
    let told: string | undefined;
    for (;;) {
      try {
        return await surveyHost({ configText, configSource, request: options, subnetFile, kernel, signal });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof UplinkError || error instanceof ConfigError)) throw error;
        if (told !== error.message)
          this.#log.error({ error: error.message }, 'cannot go over to that yet, going on as before');
        told = error.message;
      }
      await systemClock.sleep(AGAIN_MS, signal);
    }
  }
}
