import { constants } from 'node:os';
import { PacketPathError } from '../../errors.js';
import { loadNative, type NativeHandle, type UdpFeature } from '../../native.js';
import { parseIpv4 } from '../../net/ipv4.js';
import type {
  PacketCounters,
  PacketFeatures,
  PacketPath,
  PacketPaths,
  PacketPathWish,
  PacketPeer,
} from '../packet-path.js';
import { findObstacle } from './obstacle.js';

const { EADDRINUSE, EADDRNOTAVAIL, EBUSY, EINVAL, ENOENT, EPERM } = constants.errno;

/** What to do about the failures that have been met. */
const ADVICE: ReadonlyMap<number, string> = new Map([
  [EADDRINUSE, '; stop what holds the port, mostly a flanneld, or set another Backend.Port for all hosts'],
  [EADDRNOTAVAIL, '; the uplink has that address no longer'],
  [EBUSY, '; stop what holds the device, a flanneld or another lodend'],
  [
    EINVAL,
    '; a device of another make has that name: stop the flanneld that made it, or remove it with ip link del',
  ],
  [ENOENT, '; load the kernel module tun; a container needs --device /dev/net/tun'],
  [EPERM, '; it needs root, or the capability CAP_NET_ADMIN'],
]);

/** What an operator may say of the threads. */
export interface ProxyOptions {
  /** Take packets from any address, if their source is in some peer's subnet. */
  readonly acceptAny: boolean;
  /** Threads; 0: as the number of processors suggests. */
  readonly queues: number;
  /** Help of the kernel's not to use, even where it is there. */
  readonly without?: readonly UdpFeature[];
}

/** The threads in `native/udp`. */
export class UdpProxy implements PacketPaths {
  readonly #options: ProxyOptions;

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  claim(device: string): () => void {
    try {
      const claim = loadNative().udpClaim(device);
      return () => loadNative().udpRelease(claim);
    } catch (cause) {
      throw explained(`cannot have ${device}`, cause);
    }
  }

  open(wish: PacketPathWish): PacketPath {
    return new Threads(wish, this.#options);
  }

  obstacle(wish: PacketPathWish): Promise<string | undefined> {
    return findObstacle(wish);
  }
}

class Threads implements PacketPath {
  readonly features: PacketFeatures;
  readonly failed: Promise<Error>;
  readonly #handle: NativeHandle;

  constructor(wish: PacketPathWish, { acceptAny, queues, without = [] }: ProxyOptions) {
    let fail: (reason: Error) => void = () => undefined;
    this.failed = new Promise((resolve) => {
      fail = resolve;
    });
    try {
      this.#handle = loadNative().udpOpen({ ...wish, acceptAny, queues, without }, (message) =>
        fail(new PacketPathError(message)),
      );
    } catch (cause) {
      const { device, address, port } = wish;
      throw explained(`cannot carry packets between ${device} and UDP ${address}:${port}`, cause);
    }
    const { features: names, queues: threads } = loadNative().udpFeatures(this.#handle);
    this.features = { queues: threads, names };
  }

  isAttached(): boolean {
    return loadNative().udpIsAttached(this.#handle);
  }

  setPeers(peers: readonly PacketPeer[]): void {
    loadNative().udpSetPeers(this.#handle, encodeTable(peers));
  }

  counters(): PacketCounters {
    const values = loadNative().udpCounters(this.#handle);
    const names = loadNative().udpCounterNames();
    return Object.fromEntries(names.map((name, index) => [name, values[index]!])) as PacketCounters;
  }

  close(): void {
    loadNative().udpClose(this.#handle);
  }
}

/** For each peer its network, prefix length and public IP, 32 bits each, as the processor has them. */
function encodeTable(peers: readonly PacketPeer[]): Buffer {
  const table = new Uint32Array(3 * peers.length);
  for (const [index, { subnet, publicIp }] of peers.entries()) {
    table.set([subnet.address, subnet.length, parseIpv4(publicIp)!], 3 * index);
  }
  return Buffer.from(table.buffer);
}

/** Anything but an errno is a defect. */
function explained(what: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('errno' in cause) || typeof cause.errno !== 'number') return cause;
  const advice = ADVICE.get(cause.errno) ?? '';
  return new PacketPathError(`${what}: ${cause.message}${advice}`, { cause });
}
