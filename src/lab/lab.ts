/**
 * A network of hosts on one machine: each host a network namespace with its own lodend, a real etcd on the wire
 * between them, and a namespace as container on each host's subnet. Nothing in the caller's own namespace is touched,
 * and labs do not see each other, so any number may be up at once.
 *
 *     const lab = await Lab.up({ hosts: 3, backend: 'vxlan' });
 *     await lab.untilAllReach();
 *     await lab.host('h2').daemon.restart();
 *     await lab.down();
 */
import { fileURLToPath } from 'node:url';
import { LabError } from '../errors.js';
import { together } from '../together.js';
import { EtcdCluster } from './etcd-cluster.js';
import { ETCD_PREFIX, type EtcdService } from './etcd-service.js';
import { type HostOptions, LabHost } from './host.js';
import type { Namespace } from './namespace.js';
import { type LabOptions, networkConfig } from './options.js';
import { allReached, type MatrixEntry, type PingTarget, pingMatrix } from './ping.js';
import { claimLab, labNamespace, writeRecord } from './record.js';
import { startEtcd } from './start-etcd.js';
import { takeDown } from './take-down.js';
import { waitFor } from './wait.js';
import { Wire } from './wire.js';

const LODEN = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));

let made = 0;

export class Lab {
  readonly name: string;
  readonly wire: Wire;
  /** In the order of their numbers. */
  readonly hosts: LabHost[] = [];
  readonly #options: LabOptions;
  #etcd: EtcdService | undefined;
  #nextNumber = 1;

  private constructor(name: string, options: LabOptions) {
    this.name = name;
    this.#options = options;
    this.wire = new Wire(labNamespace(name, 'wire').name, options.mtu);
  }

  /** Makes the lab and waits until every daemon is ready. What was made so far goes away when that fails. */
  static async up(options: LabOptions = {}): Promise<Lab> {
    made += 1;
    const name = options.name ?? `test-${process.pid}-${made}`;
    await claimLab(name);
    const lab = new Lab(name, options);
    try {
      await lab.#build();
    } catch (error) {
      await takeDown(name);
      throw error;
    }
    return lab;
  }

  get etcd(): EtcdService {
    if (this.#etcd === undefined) throw new LabError('etcd has not been started');
    return this.#etcd;
  }

  /** The same, of a lab that was made with a cluster. */
  get cluster(): EtcdCluster {
    if (!(this.#etcd instanceof EtcdCluster)) throw new TypeError('the lab was made without a cluster');
    return this.#etcd;
  }

  /** By its name, `h1`. */
  host(name: string): LabHost {
    const found = this.hosts.find((host) => host.name === name);
    if (found === undefined) throw new LabError(`no host ${name} in the lab ${this.name}`);
    return found;
  }

  /** One more host, plugged in and started. */
  async addHost(options: HostOptions = {}): Promise<LabHost> {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const host = await this.#plug(number);
    await host.begin({ ...this.#options, ...options }, this.#options.signal);
    await this.#save();
    return host;
  }

  /** As when a host's power fails: no goodbye, and its lease stays in etcd. */
  async removeHost(host: LabHost): Promise<void> {
    this.hosts.splice(this.hosts.indexOf(host), 1);
    await host.destroy();
    await this.#save();
  }

  /** Writes the network's config that the lab was made with. */
  async putConfig(): Promise<void> {
    await this.etcd.ctl('put', `${ETCD_PREFIX}/config`, JSON.stringify(networkConfig(this.#options)));
  }

  /** Runs the operator's tool where it sees etcd, and returns what it printed. */
  async loden(...args: readonly string[]): Promise<string> {
    return this.lodenIn(this.wire.namespace, ...args);
  }

  /** The same in a host: what it says depends on the kernel there. */
  async lodenIn(namespace: Namespace, ...args: readonly string[]): Promise<string> {
    const env = { FLANNELD_ETCD_ENDPOINTS: this.etcd.endpoint, FLANNELD_ETCD_PREFIX: ETCD_PREFIX };
    return namespace.exec([process.execPath, LODEN, ...args, ...this.etcd.operatorFlags], { env });
  }

  /** The containers there are, and how to ping from and to them. */
  targets(): PingTarget[] {
    return this.hosts.flatMap(({ number, container }) =>
      container === undefined ? [] : [{ name: `c${number}`, ...container }],
    );
  }

  /** Pings between all containers, in both directions. */
  async pingAll(count?: number): Promise<MatrixEntry[]> {
    return pingMatrix(this.targets(), count);
  }

  /** Waits until every container reaches every other, and returns the round that proved it. */
  async untilAllReach(deadlineMs = 10_000): Promise<MatrixEntry[]> {
    let matrix: MatrixEntry[] = [];
    const look = async () => {
      matrix = await this.pingAll(1);
      return allReached(matrix);
    };
    const explain = () =>
      matrix
        .filter((entry) => entry.received === 0)
        .map((entry) => `${entry.from} does not reach ${entry.to}`)
        .join('\n');
    await waitFor('all containers reach each other', look, {
      deadlineMs,
      explain,
      signal: this.#options.signal,
    });
    return matrix;
  }

  /** Removes everything. May be called again. */
  async down(): Promise<void> {
    await takeDown(this.name);
  }

  async #build(): Promise<void> {
    const { hosts: count = 2, signal, onStep, each } = this.#options;
    const step = (text: string) => {
      signal?.throwIfAborted();
      onStep?.(text);
    };
    step('the wire, with etcd on it');
    await this.wire.create();
    await this.#startEtcd();
    step(`${count} hosts, each with its link to the wire`);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    this.#nextNumber = count + 1;
    const plugs = numbers.map((number) => () => this.#plug(number));
    await together(signal, plugs);
    step('a daemon in each, and a container on its subnet');
    await together(
      signal,
      this.hosts.map((host) => (until) => host.begin({ ...this.#options, ...each?.(host.number) }, until)),
    );
    signal?.throwIfAborted();
    await this.#save();
  }

  async #startEtcd(): Promise<void> {
    this.#etcd = await startEtcd(this.name, this.wire, this.#options);
    await this.putConfig();
  }

  async #plug(number: number): Promise<LabHost> {
    const host = new LabHost({
      lab: this.name,
      wire: this.wire,
      number,
      defaultRoute: this.#options.defaultRoute ?? true,
      etcdEndpoint: this.etcd.endpoint,
      etcdFlags: await this.etcd.admit(`h${number}`),
    });
    await host.plugIn();
    this.hosts.push(host);
    this.hosts.sort((a, b) => a.number - b.number);
    return host;
  }

  async #save(): Promise<void> {
    await writeRecord({
      name: this.name,
      config: networkConfig(this.#options),
      etcd: { endpoint: this.etcd.endpoint, prefix: ETCD_PREFIX },
      hosts: this.hosts.map((host) => host.record()),
    });
  }
}
