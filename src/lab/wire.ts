/**
 * The network between the hosts: a namespace with a bridge, and a veth from it into each host.
 *
 *     loden-lab-h1          loden-lab-wire          loden-lab-h2
 *       eth0 ────────────── h1 ─┐ bridge  ┌─ h2 ──────────── eth0
 *       192.168.77.1            └─ wire ──┘              192.168.77.2
 *                               192.168.77.254
 *                               etcd
 *
 * An etcd of several members has a namespace for each, plugged in like a host: e1 at 192.168.77.251, and so on.
 */
import { existsSync } from 'node:fs';
import { LabError } from '../errors.js';
import { type LinkFault, linkFaultRules } from './link-faults.js';
import { Namespace } from './namespace.js';
import { MOST_HOSTS } from './options.js';

/** RFC 1918 space that few networks use; seen in the lab's namespaces only. */
const NETWORK = '192.168.77';
export const WIRE_ADDRESS = `${NETWORK}.254`;

export class Wire {
  readonly namespace: Namespace;
  readonly mtu: number;

  constructor(name: string, mtu = 1500) {
    this.namespace = new Namespace(name);
    this.mtu = mtu;
  }

  async create(): Promise<void> {
    await this.namespace.create();
    // The kernel gives a new namespace the value 1, whatever the host's own is: iptables would see bridged frames.
    const filter = 'bridge/bridge-nf-call-iptables';
    if (existsSync(`/proc/sys/net/${filter}`)) await this.namespace.setSysctl(filter, '0');
    await this.namespace.ip(
      `link add wire mtu ${this.mtu} type bridge forward_delay 0 mcast_snooping 0`,
      `address add ${WIRE_ADDRESS}/24 dev wire`,
      'link set wire up',
    );
  }

  /** Makes a machine's namespace, whose `eth0` is plugged into the wire's port of that name. */
  async plug(machine: Namespace, port: string, address: string, defaultRoute: boolean): Promise<void> {
    await machine.create();
    await this.connect(machine, port, address, defaultRoute);
  }

  /** A new `eth0` for a machine that has none. */
  async connect(machine: Namespace, port: string, address: string, defaultRoute: boolean): Promise<void> {
    await this.namespace.ip(
      `link add ${port} mtu ${this.mtu} type veth peer name eth0 mtu ${this.mtu} netns ${machine.name}`,
      `link set ${port} master wire up`,
    );
    await machine.ip(
      `address add ${address}/24 dev eth0`,
      'link set eth0 up',
      ...(defaultRoute ? [`route add default via ${WIRE_ADDRESS}`] : []),
    );
  }

  /** Takes the cable out for good: the machine's `eth0` goes with it. Does nothing when there is none. */
  async unplug(port: string): Promise<void> {
    await this.namespace.attempt(['ip', 'link', 'delete', port]);
  }

  /** Lets a host's frames pass, or drops them all. The host's link stays up, as with a broken switch far away. */
  async setConnected(number: number, connected: boolean): Promise<void> {
    await this.namespace.exec(['bridge', 'link', 'set', 'dev', `h${number}`, 'state', connected ? '3' : '0']);
  }

  /** Makes these the only faults of the links between machines; none mends all. */
  async disturb(...faults: readonly LinkFault[]): Promise<void> {
    await this.namespace.exec(['nft', '-f', '-'], { input: linkFaultRules(faults) });
  }
}

/** `number` from 1. */
export function etcdAddress(number: number): string {
  return `${NETWORK}.${MOST_HOSTS + number}`;
}

export function hostAddress(number: number): string {
  if (number < 1 || number > MOST_HOSTS) throw new LabError(`a lab holds at most ${MOST_HOSTS} hosts`);
  return `${NETWORK}.${number}`;
}
