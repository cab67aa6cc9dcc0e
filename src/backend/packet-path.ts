/**
 * The port to a packet path in user space: threads that carry packets between a device of ours and our peers. A
 * backend says what path it wants and where each peer is; the agent keeps one open; `udp/proxy` is the real one.
 *
 *   container ── docker0 ── device ══ path: threads ══ sockets on the uplink ══ peers
 *
 * The device is not the path's: the reconciler makes and mends it as it does any link of ours, and a path attaches to
 * the one that is there.
 */
import type { Prefix } from '../net/prefix.js';

/** What a path needs to know once. */
export interface PacketPathWish {
  readonly device: string;
  /** The uplink's own address, which sockets are bound to: dotted quad. */
  readonly address: string;
  /** Ours, and every peer's. */
  readonly port: number;
  /** The device's own address, the source of ICMP errors: dotted quad. */
  readonly tunnelAddress: string;
}

/** Where packets for a subnet go, and the only host that they are taken from. */
export interface PacketPeer {
  readonly subnet: Prefix;
  /** Dotted quad. */
  readonly publicIp: string;
}

/** What of the kernel's help a path uses. */
export interface PacketFeatures {
  /** Threads, each with a queue of the device and a socket of its own. */
  readonly queues: number;
  /** `tso`, `uso`, `gso`, `gro`, `multi-queue`: those in use; `gso` on the way to each peer that takes it. */
  readonly names: readonly string[];
}

/**
 * What is counted, and what it is: sent is from containers to peers, received the other way; bytes are those of the
 * packets, without what carries them. In the order of `native/udp/counters.h`.
 */
export const PACKET_COUNTERS = {
  sent_packets: 'packets sent to peers',
  sent_bytes: 'bytes sent to peers',
  received_packets: 'packets received from peers',
  received_bytes: 'bytes received from peers',
  gso_sends: 'sends that the kernel cut into datagrams',
  gso_packets: 'packets in sends that the kernel cut into datagrams',
  gso_refusals: 'sends that the way to a peer did not take to be cut, and that went as single datagrams',
  gro_receives: 'receives of datagrams that the kernel had joined',
  gro_packets: 'packets in receives of datagrams that the kernel had joined',
  merged_writes: 'writes of several packets in one to the device',
  merged_packets: 'packets in writes of several to the device',
  dropped_no_route: "packets to no peer's subnet",
  dropped_ttl: 'packets at the end of their time to live',
  dropped_not_ipv4: 'packets that are not IPv4',
  dropped_malformed: 'packets with a header that cannot be',
  dropped_too_big: 'packets too big for a datagram',
  dropped_unknown_sender: "packets from no peer's public IP",
  dropped_wrong_source: 'packets with a source that is not that of the sending peer',
  bad_checksums: 'packets with a wrong checksum, passed on as they came',
  send_errors: 'packets that the socket refused',
  receive_errors: 'receives that failed',
  device_errors: 'writes that the device refused',
} as const;

export type PacketCounterName = keyof typeof PACKET_COUNTERS;

/** Since the path was opened. */
export type PacketCounters = Readonly<Record<PacketCounterName, bigint>>;

export interface PacketPath {
  readonly features: PacketFeatures;
  /**
   * False once the device of that name is another one than the path attached to, or there is none. One that was removed
   * ends the threads as well; one that was moved to another network namespace does not.
   */
  isAttached(): boolean;
  /** Replaces the whole table while packets flow: each packet meets the old one or the new one. */
  setPeers(peers: readonly PacketPeer[]): void;
  /** Read without stopping the threads. */
  counters(): PacketCounters;
  /** Resolves, with the reason, when a thread has ended by itself. Never rejects, and never resolves after `close`. */
  readonly failed: Promise<Error>;
  /** The threads have ended when it returns; the device stays. Idempotent. */
  close(): void;
}

export interface PacketPaths {
  /**
   * Makes a device ours among all daemons of this host, whether it is there or not: before anybody sets it up or opens a
   * path. Throws PacketPathError when another one has it. What is returned gives it up.
   */
  claim(device: string): () => void;
  /** Attaches and starts; without peers at first. Throws PacketPathError, which names what is missing or in the way. */
  open(wish: PacketPathWish): PacketPath;
  /** Who keeps such a path from being opened, as a phrase: `flanneld, process 812`. Undefined when that cannot be told. */
  obstacle(wish: PacketPathWish): Promise<string | undefined>;
}
