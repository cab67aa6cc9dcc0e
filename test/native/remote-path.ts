/** A packet path in a namespace: a child process of ours that has the addon open there. It ends with us. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Namespace } from '../../src/lab/namespace.js';
import { waitFor } from '../../src/lab/wait.js';
import type { UdpFeatures, UdpOptions } from '../../src/native.js';
import { parseIpv4 } from '../../src/net/ipv4.js';
import { parsePrefix } from '../../src/net/prefix.js';

export type Method =
  | 'create'
  | 'open'
  | 'setPeers'
  | 'features'
  | 'counters'
  | 'close'
  | 'descriptors'
  | 'threads';

export interface Request {
  readonly id: number;
  readonly method: Method;
  readonly argument: unknown;
}

export type Event =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | {
      readonly kind: 'thrown';
      readonly id: number;
      readonly message: string;
      readonly errno?: number | undefined;
    }
  | { readonly kind: 'failed'; readonly message: string; readonly errno: number };

/** `10.9.2.0/24` and the public IP of its host. */
export type Peers = Readonly<Record<string, string>>;

export class RemotePath {
  /** What the path reported, each `message (errno)`. */
  readonly failures: string[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #answers = new Map<number, (event: Event) => void>();
  #lastId = 0;

  static async start(namespace: Namespace): Promise<RemotePath> {
    const [file, ...args] = namespace.inside([process.execPath, '--enable-source-maps']);
    const program = fileURLToPath(new URL('./path-child.js', import.meta.url));
    const child = fork(program, { execPath: file!, execArgv: args, serialization: 'advanced' });
    const path = new RemotePath(child);
    await Promise.race([
      once(child, 'message'),
      path.#exited.then(() => Promise.reject(new Error('the process of the path ended at once'))),
    ]);
    return path;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    child.on('message', (event: Event) => {
      if (event.kind === 'failed') this.failures.push(`${event.message} (${event.errno})`);
      else if (event.kind !== 'ready') this.#answers.get(event.id)?.(event);
    });
    child.on('exit', (code, signal) => {
      const message = `the process of the path ended: ${signal ?? code}`;
      for (const [id, answer] of this.#answers) answer({ kind: 'thrown', id, message });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  create(device: string): Promise<void> {
    return this.#call('create', device);
  }

  open(options: UdpOptions): Promise<void> {
    return this.#call('open', options);
  }

  setPeers(peers: Peers): Promise<void> {
    return this.#call('setPeers', tableOf(peers));
  }

  features(): Promise<UdpFeatures> {
    return this.#call('features');
  }

  counters(): Promise<Record<string, number>> {
    return this.#call('counters');
  }

  close(): Promise<void> {
    return this.#call('close');
  }

  descriptors(): Promise<number> {
    return this.#call('descriptors');
  }

  threads(): Promise<number> {
    return this.#call('threads');
  }

  /** Waits until a counter is at least that, and returns all counters. What is sent may arrive before it is counted. */
  async counted(name: string, least: number): Promise<Record<string, number>> {
    const look = async () => {
      const counters = await this.counters();
      return (counters[name] ?? -1) >= least && counters;
    };
    return waitFor(`${name} of ${least}`, look, {
      everyMs: 2,
      explain: async () => JSON.stringify(await this.counters()),
    });
  }

  async dispose(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #call<T>(method: Method, argument?: unknown): Promise<T> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, (event) => {
        this.#answers.delete(id);
        if (event.kind === 'done') resolve(event.result as T);
        else if (event.kind === 'thrown')
          reject(Object.assign(new Error(event.message), { errno: event.errno }));
      });
      this.#child.send({ id, method, argument } satisfies Request);
    });
  }
}

function tableOf(peers: Peers): Buffer {
  const words = Object.entries(peers).flatMap(([subnet, publicIp]) => {
    const { address, length } = parsePrefix(subnet)!;
    return [address, length, parseIpv4(publicIp)!];
  });
  return Buffer.from(Uint32Array.from(words).buffer);
}
