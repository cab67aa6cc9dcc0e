/**
 * The contract of a backend: how packets get from this host to its peers, said as kernel objects.
 *
 * A backend plans. It does not act, log, wait or read a clock: the agent dumps the kernel, asks for the plan, and
 * applies the difference. So everything here is a pure function, and a backend is tested by reading its plan.
 */
import type { BackendJson, NetworkConfig } from '../config/network.js';
import type { JsonValue } from '../json.js';
import type { KernelState, Ownership } from '../kernel/kernel.js';
import type { KernelObject } from '../kernel/objects.js';
import type { Lease } from '../lease/lease.js';
import type { Prefix } from '../net/prefix.js';
import type { PacketPathWish, PacketPeer } from './packet-path.js';

/** The interface that carries our packets to other hosts. */
export interface Uplink {
  readonly name: string;
  readonly index: number;
  /** Bytes; the interface's own, before any overhead. */
  readonly mtu: number;
  /** The interface's address: the source of what we send. */
  readonly address: string;
  /** The networks that are on-link there. */
  readonly networks: readonly Prefix[];
  /** The address that we advertise; differs from `address` behind NAT (`--public-ip`). */
  readonly publicIp: string;
}

/** What a plan for this host is made of. */
export interface NetworkView<Options = unknown> {
  readonly network: NetworkConfig;
  readonly options: Options;
  readonly uplink: Uplink;
  /** Our own lease's subnet. */
  readonly subnet: Prefix;
  /** What we published for peers, `leaseData`'s result. */
  readonly ownData: JsonValue | undefined;
}

/** What `leaseData` is made of. */
export interface LeaseDataInput<Options> {
  readonly options: Options;
  readonly uplink: Uplink;
  readonly subnet: Prefix;
  /** The kernel as found, so that a device that is there and fits is kept, with its MAC. */
  readonly observed: KernelState;
}

export interface Backend<Options = unknown> {
  /** As in the config, `Backend.Type`, lower case. */
  readonly type: string;
  /** What stands in our lease's `BackendType`; empty where flannel leaves it out. */
  readonly leaseType: string;

  /** Reads the `Backend` object. Throws ConfigError naming the field, the value and what would be accepted. */
  parseOptions(json: BackendJson): Options;

  /** Throws ConfigError or UplinkError when this backend cannot work over that uplink. */
  checkUplink(options: Options, uplink: Uplink): void;

  /** What containers may use: the uplink's MTU, or the configured one, less the encapsulation. Bytes. */
  mtu(options: Options, uplink: Uplink): number;

  /** `BackendData` of our lease; undefined where there is none. */
  leaseData(input: LeaseDataInput<Options>): JsonValue | undefined;

  /** Why a peer's lease cannot be used, in one phrase; undefined when it can. */
  refusal(
    view: Pick<NetworkView<Options>, 'network' | 'options' | 'uplink' | 'ownData'>,
    peer: Lease,
  ): string | undefined;

  /**
   * What packets to this peer are told apart by, and two hosts therefore must not share, as a phrase: `VTEP MAC 02:…`.
   * Absent where that is the public IP alone.
   */
  markOf?(peer: Lease): string | undefined;

  /** The mark that our hosts make of the subnet, which is that lease's by right. */
  markFor?(options: Options, subnet: Prefix): string | undefined;

  owns(options: Options): Pick<Ownership, 'links' | 'sysctls'>;

  /** Links by which packets between containers come and go, for the firewall; none where others carry them. */
  peerLinks(options: Options, uplink: Uplink): readonly string[];

  /** Objects that do not depend on any peer. */
  planSelf(view: NetworkView<Options>): readonly KernelObject[];

  /** Objects for one peer whose lease was not refused. Depends on the view and that peer alone. */
  planPeer(view: NetworkView<Options>, peer: Lease): readonly KernelObject[];

  /** The packet path that carries the packets where the kernel does not; absent, with the next, where it does. */
  packetPath?(view: NetworkView<Options>): PacketPathWish;

  /** Where that path finds a peer whose lease was not refused. Depends on the view and that peer alone. */
  packetPeer?(view: NetworkView<Options>, peer: Lease): PacketPeer;
}
