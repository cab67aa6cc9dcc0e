import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { LabError } from '../errors.js';
import { lastLines } from './etcd.js';
import type { Namespace } from './namespace.js';
import { type Exit, Process } from './process.js';
import { waitFor } from './wait.js';

/** `flanneld` is the binary that the environment variable FLANNELD names. */
export type DaemonKind = 'lodend' | 'flanneld';

export interface DaemonOptions {
  readonly kind: DaemonKind;
  readonly namespace: Namespace;
  /** Its own: subnet.env, state and log. Made if absent. */
  readonly directory: string;
  readonly etcdEndpoint: string;
  readonly etcdPrefix?: string;
  /** Who it is to etcd: certificate, user. */
  readonly etcdFlags?: readonly string[];
  /** Of /readyz, on the namespace's loopback. Two daemons in one namespace need two. */
  readonly healthPort?: number;
  /** Come last, so they win. */
  readonly flags?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** For Node itself when it runs a lodend: `--cpu-prof`, `--import=…`. */
  readonly nodeFlags?: readonly string[];
}

export interface ReadyOptions {
  /** Milliseconds; 30 s when absent. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const LODEND = fileURLToPath(new URL('../../cmd/lodend.js', import.meta.url));
const BRIDGE_FILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables';
/** flanneld's word before it ends because another host took the subnet first. */
const LOST_RACE = /subnet already exists/;

/** A lodend, or a flanneld for comparison, in a host of the lab. May be started and stopped again and again. */
export class Daemon {
  readonly subnetFile: string;
  readonly logFile: string;
  readonly #options: DaemonOptions;
  #process: Process | undefined;
  /** When the subnet file was written before this start. */
  #fileTime: bigint | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.subnetFile = `${options.directory}/subnet.env`;
    this.logFile = `${options.directory}/${options.kind}.log`;
  }

  get kind(): DaemonKind {
    return this.#options.kind;
  }

  /** Undefined before the first start. Stays after the end. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** How it ended; undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#process?.exit;
  }

  /** Starts it, with more flags than its own if wished, and does not wait. */
  async start(...more: readonly string[]): Promise<void> {
    const { kind, namespace, directory, nodeFlags = [], env } = this.#options;
    await mkdir(`${directory}/state`, { recursive: true });
    if (kind === 'flanneld') await requireBridgeFilter();
    this.#fileTime = await this.#subnetFileTime();
    this.#process = await Process.start({
      namespace,
      logFile: this.logFile,
      words: [...program(kind, nodeFlags), ...this.#flags(), ...more],
      env: { ...foreignVariables(), ...env },
    });
  }

  /** Waits until it says that it is ready. Throws LabError when it ends instead; a flanneld that lost a race is restarted. */
  async ready(options: ReadyOptions = {}): Promise<void> {
    const { kind, namespace } = this.#options;
    const look = async () => {
      if (this.exit !== undefined) {
        if (kind !== 'flanneld' || !LOST_RACE.test(await this.log()))
          throw new LabError(await this.#story('ended before it was ready'));
        await this.start();
      }
      if (!(await this.#wroteSubnetFile())) return false;
      return kind === 'flanneld' || / 200 /.test(await this.readiness());
    };
    const explain = () => this.#story('its log ends with');
    await waitFor(`${kind} ready in ${namespace.name}`, look, { deadlineMs: 30_000, explain, ...options });
  }

  /** What /readyz answers, head and body; empty when nobody answers. */
  async readiness(): Promise<string> {
    const { namespace, healthPort = 8471 } = this.#options;
    // bash speaks TCP by itself, so this needs no HTTP client on the machine. It becomes cat, so that the timeout ends it.
    const ask = `exec 3<>/dev/tcp/127.0.0.1/${healthPort} && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && exec cat <&3`;
    const { stdout } = await namespace.attempt(['bash', '-c', ask], { timeoutMs: 1000 });
    return stdout;
  }

  /** SIGTERM. Kernel state and lease stay. */
  async stop(): Promise<Exit | undefined> {
    return this.#process?.stop();
  }

  /** SIGKILL. */
  async kill(): Promise<Exit | undefined> {
    return this.#process?.kill();
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.signal(name);
  }

  /** Waits until it ends by itself. */
  async ended(deadlineMs?: number): Promise<Exit> {
    if (this.#process === undefined) throw new LabError('the daemon was never started');
    return this.#process.ended(deadlineMs);
  }

  async restart(options: ReadyOptions = {}): Promise<void> {
    await this.stop();
    await this.start();
    await this.ready(options);
  }

  /** All that it has written, from all its starts. */
  async log(): Promise<string> {
    return this.#process === undefined ? '' : this.#process.log();
  }

  #flags(): string[] {
    const {
      kind,
      directory,
      etcdEndpoint,
      etcdPrefix,
      etcdFlags = [],
      healthPort = 8471,
      flags = [],
    } = this.#options;
    return [
      `--etcd-endpoints=${etcdEndpoint}`,
      ...(etcdPrefix === undefined ? [] : [`--etcd-prefix=${etcdPrefix}`]),
      ...etcdFlags,
      `--subnet-file=${this.subnetFile}`,
      ...(kind === 'lodend' ? [`--state-dir=${directory}/state`] : []),
      '--healthz-ip=127.0.0.1',
      `--healthz-port=${healthPort}`,
      ...flags,
    ];
  }

  // Cheap to look at, and written shortly before lodend is ready. Not every flanneld has /readyz, but each writes this
  // file anew when it is done.
  async #wroteSubnetFile(): Promise<boolean> {
    const time = await this.#subnetFileTime();
    return time !== undefined && time !== this.#fileTime;
  }

  async #subnetFileTime(): Promise<bigint | undefined> {
    const found = await stat(this.subnetFile, { bigint: true }).catch(() => undefined);
    return found?.mtimeNs;
  }

  async #story(what: string): Promise<string> {
    const { kind, namespace } = this.#options;
    return `${kind} in ${namespace.name}: ${what}:\n${lastLines(await this.log())}`;
  }
}

function program(kind: DaemonKind, nodeFlags: readonly string[]): string[] {
  if (kind === 'lodend') return [process.execPath, ...nodeFlags, LODEND];
  const path = process.env.FLANNELD;
  if (!path) throw new LabError('the environment variable FLANNELD does not name a flanneld');
  return [path];
}

/** Settings meant for a daemon on this machine are not for those of the lab. */
function foreignVariables(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) => /^(FLANNELD_|LODEND_|NODE_OPTIONS$)/.test(name));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

async function requireBridgeFilter(): Promise<void> {
  await stat(BRIDGE_FILTER).catch(() => {
    throw new LabError(`flanneld needs ${BRIDGE_FILTER}: load the kernel module br_netfilter`);
  });
}
