import { rm } from 'node:fs/promises';
import { attachContainer, type Container, type LeasedSubnet, readLeasedSubnet } from './container.js';
import { Daemon, type DaemonKind, type DaemonOptions } from './daemon.js';
import type { CommandOptions, Namespace } from './namespace.js';
import { startTime } from './pid.js';
import { type HostRecord, labDirectory, labNamespace } from './record.js';
import { hostAddress, WIRE_ADDRESS, type Wire } from './wire.js';

export interface HostOptions {
  /** `lodend` when absent; false leaves the routing to the test. */
  readonly daemon?: DaemonKind | false;
  /** More flags for the daemon. */
  readonly flags?: readonly string[];
  /** A namespace as container on the leased subnet, once the daemon is ready; true when absent. */
  readonly container?: boolean;
  /** Do not wait until the daemon is ready, and attach no container. */
  readonly wait?: boolean;
}

/** Where a host is and whom it asks. */
export interface HostPlace {
  readonly lab: string;
  readonly wire: Wire;
  readonly number: number;
  readonly defaultRoute: boolean;
  readonly etcdEndpoint: string;
  /** Of the daemon, to be let in. */
  readonly etcdFlags: readonly string[];
}

/** A machine of the lab. */
export class LabHost {
  /** `h1` */
  readonly name: string;
  readonly number: number;
  readonly namespace: Namespace;
  container: Container | undefined;
  #daemon: Daemon | undefined;
  readonly #place: HostPlace;
  #address: string;

  constructor(place: HostPlace) {
    this.#place = place;
    this.number = place.number;
    this.name = `h${place.number}`;
    this.#address = hostAddress(place.number);
    this.namespace = labNamespace(place.lab, this.name);
  }

  /** On the wire, and so its public IP. */
  get address(): string {
    return this.#address;
  }

  /** Its files: `<daemon>/subnet.env` … */
  get directory(): string {
    return `${labDirectory(this.#place.lab)}/${this.name}`;
  }

  /** The one that came with the host. */
  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new TypeError(`${this.name} was made without a daemon`);
    return this.#daemon;
  }

  /** A daemon in this host, not started. A second one needs its own `name`, `etcdPrefix`, `healthPort` and flags. */
  makeDaemon(name: string, options: Partial<DaemonOptions> & Pick<DaemonOptions, 'kind'>): Daemon {
    return new Daemon({
      namespace: this.namespace,
      directory: `${this.directory}/${name}`,
      etcdEndpoint: this.#place.etcdEndpoint,
      etcdFlags: this.#place.etcdFlags,
      ...options,
    });
  }

  /** Makes its namespace, with a link to the wire. */
  async plugIn(): Promise<void> {
    const { wire, defaultRoute } = this.#place;
    await wire.plug(this.namespace, this.name, this.address, defaultRoute);
  }

  /** Starts what the options ask for, in order. */
  async begin(options: HostOptions, signal: AbortSignal | undefined): Promise<void> {
    const { daemon: kind = 'lodend', flags = [], container = true, wait = true } = options;
    if (kind === false) return;
    this.#daemon = this.makeDaemon(kind, { kind, flags });
    // flanneld leaves this to Docker, of which there is none here.
    if (kind === 'flanneld') await this.exec(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    await this.#daemon.start();
    if (!wait) return;
    await this.#daemon.ready({ signal });
    if (container) await this.attachContainer();
  }

  /** A container on the subnet that the daemon leased, or on another. One that was there before goes away. */
  async attachContainer(subnet?: LeasedSubnet): Promise<Container> {
    this.container = await attachContainer({
      host: this.namespace,
      namespace: labNamespace(this.#place.lab, `c${this.number}`).name,
      subnet: subnet ?? (await readLeasedSubnet(this.daemon.subnetFile)),
    });
    return this.container;
  }

  /** Runs a command in this host and returns what it printed. */
  async exec(words: readonly string[], options?: CommandOptions): Promise<string> {
    return this.namespace.exec(words, options);
  }

  /** One `ip` command: `host.ip('route show proto 76')`. */
  async ip(line: string): Promise<string> {
    return this.namespace.ip(line);
  }

  /** From now on no frame gets through to others, etcd included; its link stays up. */
  async cutOff(): Promise<void> {
    await this.#place.wire.setConnected(this.number, false);
  }

  async reconnect(): Promise<void> {
    await this.#place.wire.setConnected(this.number, true);
  }

  /** As when its power fails: no goodbye, and its lease stays in etcd. */
  async destroy(): Promise<void> {
    // A namespace goes some time after its name, and would answer meanwhile.
    await this.#place.wire.unplug(this.name);
    await this.namespace.delete();
    await this.container?.namespace.delete();
    this.container = undefined;
  }

  /**
   * As after a power cut that is over: links, routes and processes are gone, and so is the subnet file; what a disk
   * holds is there. The daemon is not started.
   */
  async reboot(): Promise<void> {
    await this.destroy();
    if (this.#daemon) await rm(this.#daemon.subnetFile, { force: true });
    await this.plugIn();
  }

  /** As DHCP does when a lease there is over: the old address goes, and then the new one comes. */
  async changeAddress(address: string): Promise<void> {
    this.#address = address;
    await this.namespace.ip(
      'address flush dev eth0',
      `address add ${address}/24 dev eth0`,
      ...(this.#place.defaultRoute ? [`route replace default via ${WIRE_ADDRESS}`] : []),
    );
  }

  /** Its `eth0` is made anew, with the MAC and the address that it had: to the kernel another link of the same name. */
  async replug(): Promise<void> {
    const { wire, defaultRoute } = this.#place;
    const [link] = JSON.parse(await this.exec(['ip', '-json', 'link', 'show', 'eth0'])) as [
      { address: string },
    ];
    await wire.unplug(this.name);
    await wire.connect(this.namespace, this.name, this.address, defaultRoute);
    await this.ip(`link set eth0 address ${link.address}`);
  }

  record(): HostRecord {
    const { name, address, container } = this;
    const pid = this.#daemon?.pid;
    return {
      name,
      address,
      ...(pid === undefined
        ? {}
        : { daemon: { kind: this.daemon.kind, pid, startTime: startTime(pid) ?? '' } }),
      ...(container === undefined
        ? {}
        : { container: { name: `c${this.number}`, address: container.address } }),
    };
  }
}
