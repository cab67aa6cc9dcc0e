/**
 * Brings Docker's default bridge onto the leased subnet.
 *
 *     write    before we are ready, as Docker may wait for that to start: daemon.json
 *     settle   from then on: ask the engine once it runs, restart it if it has not read what we wrote and if we may,
 *              and look whether docker0 is where it should be
 *
 * The engine is restarted at most once for one lease and MTU, and only if it started before the file got what it should
 * read.
 * Nothing here is a reason for the daemon to end: other hosts reach this one whatever Docker does. The log tells.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LodenError } from '../errors.js';
import { formatPrefix, type Prefix } from '../net/prefix.js';
import type { BridgeSettings } from './bridge.js';
import { updateDaemonJson } from './daemon-json-file.js';
import type { Dockerd } from './dockerd.js';
import {
  DEFAULT_MTU,
  type DockerHost,
  type Engine,
  type EngineControl,
  type EngineState,
  hasDirectRouting,
} from './engine.js';
import { bridgeAgrees } from './status.js';

export interface DockerBridgeInput {
  readonly restart: boolean;
  /** daemon.json */
  readonly configFile: string;
  readonly engine: Engine;
  readonly control: EngineControl;
  readonly host: DockerHost;
  readonly log: Logger;
}

/** How long the engine may take to start, be it on its own or after our restart. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 500;
/** What the version may cost before we are ready. */
const VERSION_MS = 1_000;

export class DockerBridge {
  readonly #input: DockerBridgeInput;
  readonly #settings: BridgeSettings;
  #refused = false;
  /** We changed the file since we started. */
  #changed = false;

  constructor(input: DockerBridgeInput, settings: BridgeSettings) {
    this.#input = input;
    this.#settings = settings;
  }

  /** Takes no longer than a few seconds, whatever state the engine is in. */
  async write(signal: AbortSignal): Promise<void> {
    await this.#unlessAborted(signal, async () => {
      const dockerd = await this.#input.host.findDockerd();
      await this.#write(dockerd, await this.#version(dockerd, signal));
    });
  }

  /** Settles when there is no more to do, or when the signal is aborted. */
  async settle(signal: AbortSignal): Promise<void> {
    await this.#unlessAborted(signal, async () => {
      const dockerd = await this.#untilRuns(signal);
      if (dockerd === undefined) return;
      const state = await this.#untilAnswers(signal, () => true);
      if (state === undefined) return;
      // Now its version is known for sure.
      await this.#write(dockerd, state.version);
      if (!this.#refused) await this.#bringAbout(dockerd, state, signal);
    });
  }

  async #bringAbout(dockerd: Dockerd, state: EngineState, signal: AbortSignal): Promise<void> {
    const { control, log, restart, configFile } = this.#input;
    const hasToRead = dockerd.startedAt < (await stat(configFile)).mtimeMs;
    if (bridgeAgrees(state, this.#settings) && !(this.#changed && hasToRead)) {
      this.#conclude(state);
    } else if (state.liveRestore && state.containersRunning > 0) {
      log.warn(
        { ...this.#difference(state), containers: state.containersRunning },
        'Docker has live-restore, and docker0 stays as it is while containers run: stop them all, then restart Docker',
      );
    } else if (!hasToRead) {
      this.#conclude(state);
    } else if (restart) {
      log.info({ how: control.how }, 'restarting Docker for its new settings');
      await control.restart(signal);
      const after = await this.#untilAnswers(signal, (seen) => bridgeAgrees(seen, this.#settings));
      if (after !== undefined) this.#conclude(after);
    } else {
      log.warn(
        { ...this.#difference(state), how: control.how },
        'Docker has new settings to read: restart it',
      );
    }
  }

  #conclude(state: EngineState): void {
    const { log } = this.#input;
    const difference = this.#difference(state);
    if (bridgeAgrees(state, this.#settings))
      log.info({ docker0: difference.docker0 }, 'docker0 is on the leased subnet');
    else log.warn(difference, 'docker0 is not as leased, though Docker has read its settings');
  }

  #difference({ bridge }: EngineState): { readonly leased: string; readonly docker0: string } {
    const { bip, mtu } = this.#settings;
    return {
      leased: describeBridge(bip, mtu),
      docker0: bridge === undefined ? 'none' : describeBridge(bridge.bip, bridge.mtu ?? DEFAULT_MTU),
    };
  }

  async #write(dockerd: Dockerd | undefined, version: string | undefined): Promise<void> {
    const { configFile, host, log } = this.#input;
    const allowDirectRouting = version !== undefined && hasDirectRouting(version);
    const settings = { ...this.#settings, allowDirectRouting };
    const edit = await updateDaemonJson(configFile, settings, await host.dockerFlags(dockerd));
    // The reason is the same at the second look.
    if (edit.kind === 'refused' && !this.#refused)
      log.error({ path: configFile, reason: edit.reason }, 'daemon.json is left as it is');
    this.#refused = edit.kind === 'refused';
    if (edit.kind !== 'changed') return;
    this.#changed = true;
    log.info({ path: configFile, bip: formatPrefix(settings.bip), mtu: settings.mtu }, 'wrote daemon.json');
  }

  /** A socket answers too when systemd listens for an engine that waits for us: only one that runs is asked. */
  async #version(dockerd: Dockerd | undefined, signal: AbortSignal): Promise<string | undefined> {
    const { engine, host } = this.#input;
    if (dockerd === undefined) return host.installedVersion();
    const soon = AbortSignal.any([signal, AbortSignal.timeout(VERSION_MS)]);
    return engine.version(soon).catch(() => host.installedVersion());
  }

  async #untilRuns(signal: AbortSignal): Promise<Dockerd | undefined> {
    const { host, log } = this.#input;
    const found = await repeat(signal, () => host.findDockerd());
    if (found === undefined) log.info('Docker does not run; it starts on the leased subnet');
    return found;
  }

  /** What it says once it is good, or in the end. Undefined, and a line in the log, when it does not answer. */
  async #untilAnswers(
    signal: AbortSignal,
    isGood: (state: EngineState) => boolean,
  ): Promise<EngineState | undefined> {
    const { engine, log } = this.#input;
    let last: EngineState | undefined;
    let reason = '';
    await repeat(signal, async () => {
      try {
        last = await engine.state(signal);
      } catch (error) {
        if (!(error instanceof LodenError)) throw error;
        reason = error.message;
        last = undefined;
      }
      return last !== undefined && isGood(last) ? last : undefined;
    });
    if (last === undefined) log.warn({ reason }, 'Docker does not answer');
    return last;
  }

  async #unlessAborted(signal: AbortSignal, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof LodenError)) throw error;
      this.#input.log.error({ reason: error.message }, 'Docker is not set up for the leased subnet');
    }
  }
}

function describeBridge(bip: Prefix | undefined, mtu: number): string {
  return `${bip === undefined ? 'no address' : formatPrefix(bip)}, MTU ${mtu}`;
}

/** Undefined when it did not come in time. */
async function repeat<Value>(
  signal: AbortSignal,
  look: () => Promise<Value | undefined>,
): Promise<Value | undefined> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await look();
    if (value !== undefined || performance.now() > end) return value;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}
