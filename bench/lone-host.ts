/**
 * One real host in a network whose other hosts exist in etcd only: as many peers as wished, at the price of one.
 *
 *     loden-…-h1                                 loden-…-wire
 *       the daemon under test                      etcd, with the crowd's leases
 *       eth0 192.168.77.1/24, 172.20.0.1/16 ────── wire
 *
 * etcd keeps its data in memory: how long a disk takes to make a write last is not what is measured here.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { readLeasedSubnet } from '../src/lab/container.js';
import type { Daemon, DaemonKind, DaemonOptions } from '../src/lab/daemon.js';
import { ETCD_PREFIX } from '../src/lab/etcd-service.js';
import type { LabHost } from '../src/lab/host.js';
import { Lab } from '../src/lab/lab.js';
import { subnetsPath } from '../src/lease/codec.js';
import { type BackendType, leaseOf, type Peer, POOL, UNDERLAY_ADDRESS } from './crowd.js';
import { insideToTheEnd } from './inside/inside.js';
import type { PutLeasesInput } from './inside/put-leases.js';

export class LoneHost {
  readonly lab: Lab;
  readonly host: LabHost;
  readonly backend: BackendType;
  readonly signal: AbortSignal;

  private constructor(lab: Lab, backend: BackendType, signal: AbortSignal) {
    this.lab = lab;
    this.host = lab.host('h1');
    this.backend = backend;
    this.signal = signal;
  }

  /** Sets it up for `use`, and takes it down whatever comes of that. */
  static async with<T>(
    backend: BackendType,
    signal: AbortSignal,
    use: (rig: LoneHost) => Promise<T>,
  ): Promise<T> {
    const memory = await mkdtemp('/dev/shm/loden-bench-');
    const etcd = { flags: [`--data-dir=${memory}`] };
    let lab: Lab | undefined;
    try {
      lab = await Lab.up({ hosts: 1, daemon: false, backend, network: POOL, etcd, signal });
      await lab.host('h1').ip(`address add ${UNDERLAY_ADDRESS} dev eth0`);
      return await use(new LoneHost(lab, backend, signal));
    } finally {
      await lab?.down();
      await rm(memory, { recursive: true, force: true });
    }
  }

  /** Makes these the only leases there are; the host's own goes too. */
  async setLeases(peers: readonly Peer[]): Promise<void> {
    const input: PutLeasesInput = {
      endpoint: this.lab.etcd.endpoint,
      folder: subnetsPath(ETCD_PREFIX),
      entries: peers.map((peer) => leaseOf(peer, this.backend, ETCD_PREFIX)),
    };
    const { namespace } = this.lab.wire;
    await insideToTheEnd({ namespace, program: 'put-leases', input, signal: this.signal });
  }

  /** As of a kind, all have one directory: to the network they are one host that restarts. */
  daemon(kind: DaemonKind, options: Partial<DaemonOptions> = {}): Daemon {
    return this.host.makeDaemon(kind, { kind, ...options });
  }

  /** Removes what a daemon, or we by hand, left in the kernel. */
  async clearKernel(): Promise<void> {
    await this.host.namespace.attempt(['ip', 'link', 'delete', 'flannel.1']);
    await this.host.namespace.attempt(['ip', 'route', 'flush', 'root', POOL]);
  }

  /** The subnet that a daemon has leased, in the form of subnet.env: `100.64.9.1/24`. */
  async leasedSubnet(daemon: Daemon): Promise<string> {
    return (await readLeasedSubnet(daemon.subnetFile)).bridgeAddress;
  }

  /** Removes what a daemon remembers: its identity and its last subnet. */
  async forget(kind: DaemonKind): Promise<void> {
    await rm(`${this.host.directory}/${kind}`, { recursive: true, force: true });
  }

  /** How many routes to subnets of the pool there are. */
  async countRoutes(): Promise<number> {
    return Number(await this.host.exec(['sh', '-c', `ip route show root ${POOL} | wc -l`]));
  }
}
