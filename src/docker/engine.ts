/** What we ask a Docker engine, and how we get it to read its configuration anew. */
import type { Prefix } from '../net/prefix.js';
import type { Dockerd } from './dockerd.js';
import type { DockerFlag } from './flags.js';

/** Docker's default bridge as the engine has it. */
export interface EngineBridge {
  /** The host's own address on it, with the length of its network; undefined when it has none. */
  readonly bip: Prefix | undefined;
  /** Bytes; undefined when the engine does not say, and so has DEFAULT_MTU. */
  readonly mtu: number | undefined;
}

export interface EngineState {
  /** `28.5.2` */
  readonly version: string;
  /** undefined when the engine runs without a bridge. */
  readonly bridge: EngineBridge | undefined;
  readonly liveRestore: boolean;
  readonly containersRunning: number;
}

export interface Engine {
  /** Throws DockerError when it does not answer. Asks only: safe to repeat. */
  version(signal: AbortSignal): Promise<string>;
  /** Likewise. */
  state(signal: AbortSignal): Promise<EngineState>;
}

export interface EngineControl {
  /** How a person does it: `systemctl restart docker`. */
  readonly how: string;
  /** Stops the engine and starts it again; settles when it has come up. Throws DockerError. */
  restart(signal: AbortSignal): Promise<void>;
}

/** What this machine tells of Docker without asking an engine. */
export interface DockerHost {
  /** Undefined when none runs in our network. */
  findDockerd(): Promise<Dockerd | undefined>;
  /** Those that dockerd was started with, if it runs, and those that it will be started with. */
  dockerFlags(dockerd: Dockerd | undefined): Promise<readonly DockerFlag[]>;
  /** Of the dockerd that is installed, whether it runs or not; undefined when there is none to ask. */
  installedVersion(): Promise<string | undefined>;
}

/** Of a bridge of an engine that was told none. Bytes. */
export const DEFAULT_MTU = 1500;

/** `--allow-direct-routing` came with this one. */
const DIRECT_ROUTING = [28, 2];

/** Whether an engine of this version knows the option; false for a version that is none. */
export function hasDirectRouting(version: string): boolean {
  const [major = 0, minor = 0] = version.split(/[.+~-]/, 2).map((part) => Number.parseInt(part, 10) || 0);
  return major > DIRECT_ROUTING[0]! || (major === DIRECT_ROUTING[0] && minor >= DIRECT_ROUTING[1]!);
}
