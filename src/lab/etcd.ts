import { mkdir, rm } from 'node:fs/promises';
import { LabError } from '../errors.js';
import { compactNow, type EtcdService } from './etcd-service.js';
import { freePort } from './free-port.js';
import { command, type Namespace } from './namespace.js';
import { Process } from './process.js';
import { waitFor } from './wait.js';

export interface EtcdOptions {
  /** Holds its data and its log. Made if absent; whoever gave it removes it. */
  readonly directory: string;
  /** Where it runs; on the caller's own loopback when absent. */
  readonly namespace?: Namespace;
  /** The address that clients use; 127.0.0.1 when absent. */
  readonly address?: string;
  /** A free port when absent. */
  readonly port?: number;
  /** More flags for etcd (TLS …), which win over ours, and what etcdctl then needs to talk to it. */
  readonly flags?: readonly string[];
  readonly clientFlags?: readonly string[];
  readonly scheme?: 'http' | 'https';
  readonly signal?: AbortSignal | undefined;
}

/** etcd waits seconds for clients that watch; they are not told any more by that. */
const PATIENCE_MS = 1000;

/** A real etcd: one process, by itself or as a member of a cluster. */
export class Etcd implements EtcdService {
  readonly endpoint: string;
  /** It lets everybody in who reaches it. */
  readonly operatorFlags: readonly string[] = [];
  readonly #options: EtcdOptions;
  readonly #peerPort: number;
  #process: Process | undefined;
  #isPaused = false;

  private constructor(options: EtcdOptions, port: number, peerPort: number) {
    this.#options = options;
    this.#peerPort = peerPort;
    this.endpoint = `${options.scheme ?? 'http'}://${options.address ?? '127.0.0.1'}:${port}`;
  }

  /** Does not start it. */
  static async make(options: EtcdOptions): Promise<Etcd> {
    await mkdir(options.directory, { recursive: true });
    return new Etcd(options, options.port ?? (await freePort()), await freePort());
  }

  /** Starts one and waits until it answers. */
  static async start(options: EtcdOptions): Promise<Etcd> {
    const etcd = await Etcd.make(options);
    try {
      await etcd.start();
    } catch (error) {
      await etcd.stop();
      throw error;
    }
    return etcd;
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exit === undefined;
  }

  get isServing(): boolean {
    return this.isRunning && !this.#isPaused;
  }

  async start(): Promise<void> {
    await this.launch();
    await this.answered();
  }

  /** Starts it, with more flags if wished, and does not wait: a member answers only when others do. */
  async launch(...more: readonly string[]): Promise<void> {
    const { directory, namespace, flags = [] } = this.#options;
    const peer = this.#peerUrl;
    this.#process = await Process.start({
      namespace,
      logFile: `${directory}/etcd.log`,
      words: [
        'etcd',
        '--name=lab',
        `--data-dir=${this.#dataDirectory}`,
        `--listen-client-urls=${this.endpoint}`,
        `--advertise-client-urls=${this.endpoint}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=lab=${peer}`,
        '--heartbeat-interval=50',
        '--election-timeout=500',
        ...flags,
        ...more,
      ],
    });
  }

  /** Waits until it answers. */
  async answered(): Promise<void> {
    const running = this.#process;
    if (running === undefined) throw new TypeError('etcd was never started');
    await waitFor(`etcd at ${this.endpoint}`, () => this.#answers(running), {
      deadlineMs: 20_000,
      signal: this.#options.signal,
      explain: async () => lastLines(await running.log()),
    });
  }

  async admit(): Promise<readonly string[]> {
    return [];
  }

  async stop(): Promise<void> {
    this.resume();
    await this.#process?.stop(PATIENCE_MS);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Removes all that it has stored; for one that has ended. */
  async wipe(): Promise<void> {
    await rm(this.#dataDirectory, { recursive: true, force: true });
  }

  async save(file: string): Promise<void> {
    await this.ctl('snapshot', 'save', file);
  }

  async restore(file?: string): Promise<void> {
    await this.kill();
    const peerUrl = this.#peerUrl;
    await this.refill(file, { name: 'lab', peerUrl, cluster: `lab=${peerUrl}` });
    await this.start();
  }

  /** Gives one that has ended the data that were saved, or none: as that member of a cluster of members. */
  async refill(
    file: string | undefined,
    member: { name: string; peerUrl: string; cluster: string },
  ): Promise<void> {
    await this.wipe();
    if (file === undefined) return;
    const { name, peerUrl, cluster } = member;
    const place = [`--data-dir=${this.#dataDirectory}`, `--name=${name}`, `--initial-cluster=${cluster}`];
    await this.ctl('snapshot', 'restore', file, ...place, `--initial-advertise-peer-urls=${peerUrl}`);
  }

  get #peerUrl(): string {
    return `http://127.0.0.1:${this.#peerPort}`;
  }

  get #dataDirectory(): string {
    return `${this.#options.directory}/data`;
  }

  pause(): void {
    this.#isPaused = true;
    this.#process?.signal('SIGSTOP');
  }

  resume(): void {
    this.#isPaused = false;
    this.#process?.signal('SIGCONT');
  }

  async ctl(...args: readonly string[]): Promise<string> {
    const words = ['etcdctl', `--endpoints=${this.endpoint}`, ...(this.#options.clientFlags ?? []), ...args];
    const env = { ETCDCTL_API: '3' };
    return this.#options.namespace?.exec(words, { env }) ?? command(words, { env });
  }

  async compact(): Promise<void> {
    await compactNow(this);
  }

  async #answers(running: Process): Promise<boolean> {
    if (running.exit !== undefined) throw new LabError(`etcd ended:\n${lastLines(await running.log())}`);
    return this.ctl('endpoint', 'health', '--dial-timeout=1s', '--command-timeout=1s').then(
      () => true,
      () => false,
    );
  }
}

export function lastLines(text: string, count = 15): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
