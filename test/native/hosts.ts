/**
 * Two hosts, and on each a packet path whose device leads to a wire of the test's:
 *
 *   wire ⇄ wire0 ═nft═ flannel0 ⇄ path ⇄ eth0 ══ veth ══ eth0 ⇄ path ⇄ flannel0 ═nft═ wire0 ⇄ wire
 *          └───────── alice 192.168.9.1 ────────┘      └────────── bob 192.168.9.2 ──────────┘
 *               10.9.1.0/24                                                10.9.2.0/24
 *
 * The wire's device has no offloads: what a path hands to its kernel as a super-packet, that kernel cuts up before it
 * comes out here; and a super-packet that is put in goes to the path whole, if the path's device takes it whole.
 */
import type { ExecutionContext } from 'ava';
import { Namespace } from '../../src/lab/namespace.js';
import { waitFor } from '../../src/lab/wait.js';
import type { UdpOptions } from '../../src/native.js';
import { compile } from './compiled.js';
import { RemotePath } from './remote-path.js';
import { Wire } from './wire.js';

export const PORT = 8285;
export const DEVICE = 'flannel0';
/** 1500 - 28 */
export const MTU = 1472;

let made = 0;

export class Host {
  readonly namespace: Namespace;
  readonly address: string;
  readonly subnet: string;
  readonly tunnelAddress: string;
  path!: RemotePath;
  /** The device's own address, as an end of connections. */
  readonly end: { readonly namespace: Namespace; readonly address: string };

  constructor(namespace: Namespace, number: number, address = `192.168.9.${number}`) {
    this.namespace = namespace;
    this.address = address;
    this.subnet = `10.9.${number}.0/24`;
    this.tunnelAddress = `10.9.${number}.0`;
    this.end = { namespace, address: this.tunnelAddress };
  }

  /** A process with the addon, and a device with its address and the pool's route; no path is open yet. */
  async prepare(t: ExecutionContext): Promise<void> {
    this.path = await RemotePath.start(this.namespace);
    t.teardown(() => this.path.dispose());
    await this.makeDevice();
  }

  async makeDevice(): Promise<void> {
    await this.path.create(DEVICE);
    await this.namespace.ip(
      `address add ${this.tunnelAddress}/32 dev ${DEVICE}`,
      `link set ${DEVICE} mtu ${MTU} txqueuelen 5000 up`,
      `route add 10.9.0.0/16 dev ${DEVICE}`,
    );
  }

  /** What `open` asks for when nothing else is said. */
  get wish(): UdpOptions {
    const { address, tunnelAddress } = this;
    return { device: DEVICE, address, port: PORT, tunnelAddress, queues: 1, acceptAny: false, without: [] };
  }

  async open(options: Partial<UdpOptions> = {}): Promise<void> {
    await this.path.open({ ...this.wish, ...options });
    await this.#untilPassing('eth0');
    await this.#untilPassing(DEVICE);
  }

  /** Leads all that comes out of the path's device to a wire, past the kernel's own IP, and what the wire sends into it. */
  async attachWire(t: ExecutionContext): Promise<Wire> {
    const wire = await Wire.open(this.namespace, await compile('wire'), 'device', 'wire0');
    t.teardown(() => wire.close());
    await this.namespace.ip('link set wire0 txqueuelen 5000 up');
    await this.#untilPassing('wire0');
    await this.namespace.exec(['nft', '-f', '-'], {
      input: `table netdev wire {
        chain out { type filter hook ingress device ${DEVICE} priority 0; fwd to wire0; }
        chain in { type filter hook ingress device wire0 priority 0; fwd to ${DEVICE}; }
      }`,
    });
    return wire;
  }

  /** A device that has just got its carrier drops what it is to send, until the kernel has given it its queue. */
  async #untilPassing(device: string): Promise<void> {
    const isPassing = async () => / qdisc (?!noop )/.test(await this.namespace.ip(`link show ${device}`));
    await waitFor(`the queue of ${device}`, isPassing, { everyMs: 1 });
  }
}

/** A namespace for one test, without IPv6, whose router solicitations nobody asked for. */
export async function namespaceFor(t: ExecutionContext, name: string): Promise<Namespace> {
  const namespace = new Namespace(`loden-test-${process.pid}-${++made}-${name}`);
  t.teardown(() => namespace.delete());
  await namespace.create();
  await namespace.setSysctl('ipv6/conf/default/disable_ipv6', '1');
  return namespace;
}

/** Two namespaces with a link between them and addresses on it, 192.168.9.1 and .2. */
export async function twoNamespaces(t: ExecutionContext): Promise<readonly [Namespace, Namespace]> {
  const [one, other] = [await namespaceFor(t, 'alice'), await namespaceFor(t, 'bob')];
  await one.ip(`link add eth0 type veth peer name eth0 netns ${other.name}`);
  for (const [i, namespace] of [one, other].entries())
    await namespace.ip(`address add 192.168.9.${i + 1}/24 dev eth0`, 'link set eth0 up');
  return [one, other];
}

/** Two hosts on one link, with devices; no path is open yet. */
export async function twoHosts(t: ExecutionContext): Promise<readonly [Host, Host]> {
  const [one, other] = await twoNamespaces(t);
  const hosts = [new Host(one, 1), new Host(other, 2)] as const;
  for (const host of hosts) await host.prepare(t);
  return hosts;
}

/** Opens both paths, and tells each of the other. */
export async function openBoth(
  [a, b]: readonly [Host, Host],
  options: Partial<UdpOptions> = {},
): Promise<void> {
  await Promise.all([a.open(options), b.open(options)]);
  await a.path.setPeers({ [b.subnet]: b.address });
  await b.path.setPeers({ [a.subnet]: a.address });
}
