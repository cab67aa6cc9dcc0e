/** A real etcd for one test: its own process on free loopback ports, its data in a temporary folder. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type EtcdFlags, etcdOptions } from '../../src/lease/etcd-options.js';
import { EtcdStore } from '../../src/lease/etcd-store.js';
import { eventually } from '../contract/lease-store.js';
import { makeCertificates } from './certificates.js';

const run = promisify(execFile);
/** Tests that need etcd are skipped where it is not installed. */
export const hasEtcd = ['etcd', 'etcdctl'].every(
  (tool) => spawnSync(tool, ['--version']).error === undefined,
);

const START_MS = 20_000;

export const PREFIX = '/loden.test/network';

export interface EtcdSetting {
  /** TLS with certificates made for the test; with `client`, clients must have one too. */
  readonly tls?: 'server' | 'client';
  readonly arguments?: readonly string[];
}

export class Etcd {
  readonly address: string;
  /** Holds `data`, and with TLS the certificates. */
  readonly folder: string;
  readonly #setting: EtcdSetting;
  readonly #peer: string;
  #process: ChildProcess | undefined;

  private constructor(address: string, peer: string, folder: string, setting: EtcdSetting) {
    this.address = address;
    this.#peer = peer;
    this.folder = folder;
    this.#setting = setting;
  }

  static async start(setting: EtcdSetting = {}): Promise<Etcd> {
    const folder = await mkdtemp(join(tmpdir(), 'loden-etcd-'));
    const [port, peerPort] = await Promise.all([freePort(), freePort()]);
    const etcd = new Etcd(`127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`, folder, setting);
    try {
      if (setting.tls) await makeCertificates(folder);
      await etcd.resume();
      return etcd;
    } catch (error) {
      await etcd.stop();
      throw error;
    }
  }

  get endpoint(): string {
    return `${this.#setting.tls ? 'https' : 'http'}://${this.address}`;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Starts it on the data that is there; settles when it answers. `user` as `name:password`, once users are on. */
  async resume(user?: string): Promise<void> {
    const tls = this.#setting.tls
      ? ['--cert-file', this.file('server.crt'), '--key-file', this.file('server.key')]
      : [];
    if (this.#setting.tls === 'client')
      tls.push('--trusted-ca-file', this.file('ca.crt'), '--client-cert-auth');
    const args = ['--name', 'test', '--data-dir', this.file('data'), '--log-level', 'error', ...tls];
    args.push('--listen-client-urls', this.endpoint, '--advertise-client-urls', this.endpoint);
    args.push('--listen-peer-urls', this.#peer, '--initial-advertise-peer-urls', this.#peer);
    args.push(
      '--initial-cluster',
      `test=${this.#peer}`,
      '--heartbeat-interval',
      '50',
      '--election-timeout',
      '500',
    );
    args.push(...(this.#setting.arguments ?? []));
    this.#process = spawn('etcd', args, { stdio: 'ignore' });
    await eventually(() => this.control('endpoint', 'health', ...(user ? ['--user', user] : [])), START_MS);
  }

  /** Ends the process and keeps the data. */
  async halt(): Promise<void> {
    if (!this.#process) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
    this.#process = undefined;
  }

  async stop(): Promise<void> {
    await this.halt();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** `etcdctl`; its standard output. */
  async control(...args: readonly string[]): Promise<string> {
    const tls = this.#setting.tls
      ? ['--cacert', this.file('ca.crt'), '--cert', this.file('client.crt'), '--key', this.file('client.key')]
      : [];
    const env = { ...process.env, ETCDCTL_API: '3' };
    return (await run('etcdctl', ['--endpoints', this.endpoint, ...tls, ...args], { env })).stdout;
  }

  /** Drops all history up to now, as etcd's auto-compaction does. */
  async compact(): Promise<void> {
    const status = JSON.parse(await this.control('endpoint', 'status', '-w', 'json'));
    await this.control('compaction', String(status[0].Status.header.revision));
  }

  /** Keeps a backup of all that there is. */
  async save(): Promise<void> {
    await this.control('snapshot', 'save', this.file('backup'));
  }

  /** Starts anew on the backup. */
  async restore(): Promise<void> {
    await this.halt();
    await rm(this.file('data'), { recursive: true });
    const member = ['--name', 'test', '--initial-advertise-peer-urls', this.#peer];
    const place = ['--data-dir', this.file('data'), '--initial-cluster', `test=${this.#peer}`];
    await this.control('snapshot', 'restore', this.file('backup'), ...member, ...place);
    await this.resume();
  }

  async store(flags: Partial<EtcdFlags> = {}): Promise<EtcdStore> {
    const none = {
      prefix: '/loden.test/network',
      keyFile: '',
      certFile: '',
      caFile: '',
      username: '',
      password: '',
    };
    return new EtcdStore(await etcdOptions({ ...none, endpoints: this.endpoint, ...flags }));
  }
}

/** Below the range that the kernel takes ports of outgoing connections from. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const server = createServer().listen(port, '127.0.0.1');
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (free) return port;
  }
}
