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
  /** `tso`, `uso`, `gso`, `gro`, `multi-queue`: those in use. */
  readonly names: readonly string[];
}

/** What was counted since the path was opened, by name: `dropped_unknown_source` and the like. */
export type PacketCounters = Readonly<Record<string, bigint>>;

export interface PacketPath {
  readonly features: PacketFeatures;
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
  /** Attaches and starts; without peers at first. Throws PacketPathError, which names what is missing or in the way. */
  open(wish: PacketPathWish): PacketPath;
  /** Who keeps such a path from being opened, as a phrase: `flanneld, process 812`. Undefined when that cannot be told. */
  obstacle(wish: PacketPathWish): Promise<string | undefined>;
}
