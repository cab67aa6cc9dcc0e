/**
 * One life of the daemon: it begins with a config, a host as surveyed and a lease, and ends with the signal, or when the
 * ground under it has changed: another uplink, address or MTU; another config in an etcd that had been out of sight.
 * Then the next life begins over the same kernel, whose difference does the rest. Nothing is taken down between them, so
 * no packet is lost.
 */
import type { Logger } from 'pino';
import { LodenError } from '../errors.js';
import { systemClock } from '../lease/clock.js';
import { together } from '../together.js';
import type { AgentPorts } from './agent.js';
import { announce } from './announce.js';
import { ConfigCheck } from './config-check.js';
import type { Contact } from './contact.js';
import { type Ground, stateOf } from './ground.js';
import { Membership } from './membership.js';
import type { NetworkSample } from './report/metrics.js';
import type { StateKeeper } from './state/state-keeper.js';
import { type Marks, type Survey, surveyHost } from './survey.js';
import { uplinkChanged } from './uplink/uplink-watch.js';

export interface LifeInput extends AgentPorts {
  readonly marks: Marks;
  readonly contact: Contact;
  readonly keeper: StateKeeper;
  readonly configText: string;
  readonly configSource: string;
  readonly survey: Survey;
  readonly ground: Ground;
  /** A life came before: Docker and others have our subnet file already. */
  readonly continues: boolean;
  readonly onReady: (survey: Survey, ground: Ground) => void;
  /** Is told how to learn how things are, for as long as this life is the last. */
  readonly onBegin: (sample: () => NetworkSample) => void;
}

/** What the next life begins with. Without a ground there is a lease to acquire first. */
export interface NextLife {
  readonly configText: string;
  readonly survey: Survey;
  readonly ground?: Ground;
}

/** From one look at what there is to go over to, to the next. */
const AGAIN_MS = 1000;

export class Life {
  readonly #input: LifeInput;
  readonly #log: Logger;
  readonly #check: ConfigCheck;
  readonly #over = new AbortController();
  #next: NextLife | undefined;
  /** Under way, or done: asked again when etcd is back again. */
  #checking: Promise<void> | undefined;
  /** Why this host could not be surveyed, as the log was told. */
  #told: string | undefined;

  constructor(input: LifeInput) {
    this.#input = input;
    this.#log = input.log;
    this.#check = new ConfigCheck(input);
  }

  /** Undefined when the signal was aborted. Throws as `runAgent` does. */
  async run(signal: AbortSignal): Promise<NextLife | undefined> {
    const { survey, ground, onReady, keeper, configText, options } = this.#input;
    const until = AbortSignal.any([signal, this.#over.signal]);
    const announced = await announce(this.#input, until);
    const known = () => stateOf(membership.ground, { etcdPrefix: options.etcdPrefix, configText });
    const membership = new Membership({
      ...this.#input,
      mayClaim: (waiting) => this.#confirmConfig(until, waiting),
      onReturn: () => void this.#confirmConfig(until, until).catch(() => undefined),
      onChange: () => keeper.changed(known),
    });
    // At once: who is killed just after the start has a state to start from all the same.
    keeper.changed(known);
    this.#input.onBegin(() => membership.sample);
    try {
      await together(until, [
        (stop) => membership.run(stop, () => onReady(survey, ground)),
        async (stop) => announced.docker?.settle(stop),
        (stop) => announced.writeFile(stop),
        (stop) => this.#followUplink(membership, stop),
      ]);
    } finally {
      this.#over.abort();
    }
    return signal.aborted ? undefined : this.#next;
  }

  /** Settles when etcd has the config that we run on; with another one this life ends. */
  #confirmConfig(until: AbortSignal, waiting: AbortSignal): Promise<void> {
    this.#checking ??= this.#checkConfig(until).finally(() => {
      this.#checking = undefined;
    });
    const checking = this.#checking;
    return new Promise((resolve, reject) => {
      const stop = () => reject(waiting.reason);
      waiting.addEventListener('abort', stop);
      if (waiting.aborted) stop();
      checking.then(resolve, reject).finally(() => waiting.removeEventListener('abort', stop));
    });
  }

  async #checkConfig(until: AbortSignal): Promise<void> {
    for (;;) {
      const other = await this.#check.otherConfig(until);
      if (other === undefined) return;
      const survey = await this.#surveyAgain(other, until);
      if (survey) {
        this.#log.warn('etcd has another network config than the one we run on, going over to it');
        this.#end({ configText: other, survey });
      }
      await systemClock.sleep(AGAIN_MS, until);
    }
  }

  async #followUplink(membership: Membership, signal: AbortSignal): Promise<void> {
    const { options, kernel, survey, configText } = this.#input;
    const resyncMs = options.resyncSeconds * 1000;
    const onLook = this.#tellOfMissing();
    for (;;) {
      const watch = { kernel, request: options, uplink: survey.uplink, resyncMs, onLook };
      const { reason } = await uplinkChanged(watch, signal);
      const next = await this.#surveyAgain(configText, signal);
      if (next) {
        this.#log.warn({ reason }, 'the uplink has changed, going over to it');
        this.#end({ configText, survey: next, ground: membership.ground });
      }
      await systemClock.sleep(AGAIN_MS, signal);
    }
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

  /** Undefined, and a word in the log, where there is nothing to go over to: then all stays as it is. */
  async #surveyAgain(configText: string, signal: AbortSignal): Promise<Survey | undefined> {
    const { options, kernel, configSource } = this.#input;
    const { subnetFile } = options;
    try {
      return await surveyHost({ configText, configSource, request: options, subnetFile, kernel, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof LodenError)) throw error;
      if (this.#told !== error.message)
        this.#log.error({ error: error.message }, 'cannot go over to that yet, going on as before');
      this.#told = error.message;
      return undefined;
    }
  }
}
