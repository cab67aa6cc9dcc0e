import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { LabError } from '../errors.js';
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
  /** More flags for etcd (TLS …), and what etcdctl then needs to talk to it. */
  readonly flags?: readonly string[];
  readonly clientFlags?: readonly string[];
  readonly scheme?: 'http' | 'https';
  readonly signal?: AbortSignal | undefined;
}

/** A real etcd of one member. */
export class Etcd {
  /** `http://192.168.77.254:2379` */
  readonly endpoint: string;
  readonly #options: EtcdOptions;
  readonly #peerPort: number;
  #process: Process | undefined;

  private constructor(options: EtcdOptions, port: number, peerPort: number) {
    this.#options = options;
    this.#peerPort = peerPort;
    this.endpoint = `${options.scheme ?? 'http'}://${options.address ?? '127.0.0.1'}:${port}`;
  }

  /** Starts it and waits until it answers. */
  static async start(options: EtcdOptions): Promise<Etcd> {
    const etcd = new Etcd(options, options.port ?? (await freePort()), await freePort());
    await mkdir(options.directory, { recursive: true });
    try {
      await etcd.start();
    } catch (error) {
      await etcd.stop();
      throw error;
    }
    return etcd;
  }

  /** Starts it again over the data it had. */
  async start(): Promise<void> {
    const { directory, namespace, flags = [], signal } = this.#options;
    const peer = `http://127.0.0.1:${this.#peerPort}`;
    const running = await Process.start({
      namespace,
      logFile: `${directory}/etcd.log`,
      words: [
        'etcd',
        '--name=lab',
        `--data-dir=${directory}/data`,
        `--listen-client-urls=${this.endpoint}`,
        `--advertise-client-urls=${this.endpoint}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=lab=${peer}`,
        '--heartbeat-interval=50',
        '--election-timeout=500',
        ...flags,
      ],
    });
    this.#process = running;
    await waitFor(`etcd at ${this.endpoint}`, () => this.#answers(running), {
      deadlineMs: 20_000,
      signal,
      explain: async () => lastLines(await running.log()),
    });
  }

  /** Ends it and keeps its data. */
  async stop(): Promise<void> {
    this.resume();
    await this.#process?.stop();
  }

  /** Writes all that it has to a file. */
  async save(file: string): Promise<void> {
    await this.ctl('snapshot', 'save', file);
  }

  /** Ends it and begins again with what was saved, or with nothing: its revisions go back. */
  async restore(file?: string): Promise<void> {
    const { directory } = this.#options;
    await this.stop();
    await rm(`${directory}/data`, { recursive: true });
    const peer = `http://127.0.0.1:${this.#peerPort}`;
    const place = [`--data-dir=${directory}/data`, '--name=lab', `--initial-cluster=lab=${peer}`];
    if (file !== undefined)
      await this.ctl('snapshot', 'restore', file, ...place, `--initial-advertise-peer-urls=${peer}`);
    await this.start();
  }

  /** Lets it hang: connections stay open and nothing is answered, until `resume`. */
  pause(): void {
    this.#process?.signal('SIGSTOP');
  }

  resume(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Runs etcdctl against it and returns what it printed. */
  async ctl(...args: readonly string[]): Promise<string> {
    const words = ['etcdctl', `--endpoints=${this.endpoint}`, ...(this.#options.clientFlags ?? []), ...args];
    const env = { ETCDCTL_API: '3' };
    return this.#options.namespace?.exec(words, { env }) ?? command(words, { env });
  }

  /** Forgets all revisions up to the present one: a watch that starts at an older one is refused. */
  async compact(): Promise<void> {
    const answer = JSON.parse(await this.ctl('get', 'any', '--write-out=json')) as {
      header: { revision: number };
    };
    await this.ctl('compact', String(answer.header.revision));
  }

  async #answers(running: Process): Promise<boolean> {
    if (running.exit !== undefined) throw new LabError(`etcd ended:\n${lastLines(await running.log())}`);
    return this.ctl('endpoint', 'health', '--dial-timeout=1s', '--command-timeout=1s').then(
      () => true,
      () => false,
    );
  }
}

/** A TCP port that nobody listened on a moment ago. */
async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export function lastLines(text: string, count = 15): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
