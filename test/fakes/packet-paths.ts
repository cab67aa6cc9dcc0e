import {
  PACKET_COUNTERS,
  type PacketCounterName,
  type PacketCounters,
  type PacketPath,
  type PacketPaths,
  type PacketPathWish,
  type PacketPeer,
} from '../../src/backend/packet-path.js';
import { PacketPathError } from '../../src/errors.js';
import { formatPrefix } from '../../src/net/prefix.js';

/** A path without threads: it remembers what it was told. */
export class FakePacketPath implements PacketPath {
  readonly wish: PacketPathWish;
  readonly features = { queues: 2, names: ['gso', 'gro'] };
  readonly failed: Promise<Error>;
  /** Makes a thread end by itself. */
  fail: (reason: Error) => void = () => undefined;
  /** Every table that was set, as `10.5.2.0/24 at 192.0.2.2`. */
  readonly tables: (readonly string[])[] = [];
  closed = false;
  attached = true;

  constructor(wish: PacketPathWish) {
    this.wish = wish;
    this.failed = new Promise((resolve) => {
      this.fail = (reason) => void (this.closed || resolve(reason));
    });
  }

  isAttached(): boolean {
    if (this.closed) throw new TypeError('a look at the device of a path that is closed');
    return this.attached;
  }

  setPeers(peers: readonly PacketPeer[]): void {
    if (this.closed) throw new TypeError('a table for a path that is closed');
    this.tables.push(peers.map(({ subnet, publicIp }) => `${formatPrefix(subnet)} at ${publicIp}`));
  }

  counters(): PacketCounters {
    const names = Object.keys(PACKET_COUNTERS) as PacketCounterName[];
    return Object.fromEntries(names.map((name) => [name, BigInt(this.tables.length)])) as PacketCounters;
  }

  close(): void {
    this.closed = true;
  }
}

/** Refuses, as the real one, a device that is not there and a port that is taken: by another path, if it is open. */
export class FakePacketPaths implements PacketPaths {
  readonly devices = new Set<string>();
  /** By whomever. */
  readonly claimed = new Set<string>();
  /** All that were opened, in order. */
  readonly opened: FakePacketPath[] = [];
  attempts = 0;

  constructor(...devices: readonly string[]) {
    this.devices = new Set(devices);
  }

  claim(device: string): () => void {
    if (this.claimed.has(device)) throw new PacketPathError(`${device}: another daemon has it`);
    this.claimed.add(device);
    return () => this.claimed.delete(device);
  }

  open(wish: PacketPathWish): PacketPath {
    this.attempts += 1;
    if (!this.devices.has(wish.device)) throw new PacketPathError(`${wish.device}: no such device`);
    const rival = this.opened.find(({ closed, wish: { port } }) => !closed && port === wish.port);
    if (rival) throw new PacketPathError(`port ${wish.port} is in use`);
    const path = new FakePacketPath(wish);
    this.opened.push(path);
    return path;
  }

  async obstacle(): Promise<string | undefined> {
    return 'flanneld, process 812';
  }
}
