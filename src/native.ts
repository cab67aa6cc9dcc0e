import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FileError } from './errors.js';
import { packageRoot } from './package-root.js';

/** An open netlink socket, or a listening one; only the addon can look inside. */
export interface NativeHandle {
  readonly loden: unique symbol;
}

/** What the addon in `native/` offers. Its errors carry the positive `errno` of the call that failed. */
export interface Native {
  /** A socket for requests. */
  netlinkOpen(): NativeHandle;
  /**
   * Sends a batch of messages and resolves to all that was received up to the acknowledgement, error or NLMSG_DONE
   * of message `untilSequence`. One at a time per socket. Rejects with ENOBUFS when part of the answer was lost, and
   * with ETIMEDOUT after 30 s of silence; then a late answer may turn up in the next call.
   */
  netlinkTransact(socket: NativeHandle, request: Buffer, untilSequence: number): Promise<Buffer>;
  /** A transaction under way still ends. Idempotent. */
  netlinkClose(socket: NativeHandle): void;
  /**
   * Listens to multicast groups of a netlink protocol (a mask, as in `sockaddr_nl`) from now on. Calls back with many whole messages, or
   * with an errno: ENOBUFS when the kernel dropped messages at this point, another when listening has ended.
   */
  netlinkListen(
    protocol: number,
    groups: number,
    callback: (messages: Buffer | undefined, errno: number | undefined) => void,
  ): NativeHandle;
  /** No callback comes after this. Idempotent. */
  netlinkStopListening(listener: NativeHandle): void;
  /** Sends one datagram, as sd_notify(3) does; a path that begins with `@` is an abstract name. */
  notify(path: string, message: string): void;
  /**
   * Makes a TUN device that persists, with many queues. Nothing when there is a TUN device of that name; throws EEXIST
   * when another kind has it.
   */
  tunCreate(name: string): void;
  /**
   * Makes the device this process's among all that ask, whether it is there or not, until it is released or the process
   * ends. Throws EBUSY when it has been claimed.
   */
  udpClaim(device: string): NativeHandle;
  /** Idempotent. */
  udpRelease(claim: NativeHandle): void;
  /**
   * Carries packets between a TUN device that is there and UDP sockets, on threads of its own that run when it returns, without
   * peers at first. `onFailed` is called once at most, when a thread cannot go on, and never after `udpClose`.
   */
  udpOpen(options: UdpOptions, onFailed: (message: string, errno: number) => void): NativeHandle;
  udpFeatures(path: NativeHandle): UdpFeatures;
  /** False once the device of that name, here, is another one than the threads serve, or there is none. */
  udpIsAttached(path: NativeHandle): boolean;
  /**
   * Replaces the whole table of peers while packets flow. 12 bytes a peer, in the machine's own byte order: network,
   * prefix length, public IP, each a u32.
   */
  udpSetPeers(path: NativeHandle, table: Buffer): void;
  /** What was counted since the path was opened, in the order of `udpCounterNames`; no thread is stopped for it. */
  udpCounters(path: NativeHandle): BigUint64Array;
  udpCounterNames(): string[];
  /** The threads have ended when it returns; the device stays. Idempotent. */
  udpClose(path: NativeHandle): void;
}

/** What of the kernel's help the packet path may use. */
export type UdpFeature = 'tso' | 'uso' | 'gso' | 'gro' | 'multi-queue';

export interface UdpOptions {
  readonly device: string;
  /** Dotted quad: what the sockets are bound to. */
  readonly address: string;
  /** Ours, and every peer's. */
  readonly port: number;
  /** Dotted quad: the source of ICMP errors. */
  readonly tunnelAddress: string;
  /** Threads; 0: by the number of cores. */
  readonly queues: number;
  /** Take packets from any sender, if their inner source is in some peer's subnet. */
  readonly acceptAny: boolean;
  readonly without: readonly UdpFeature[];
}

export interface UdpFeatures {
  readonly queues: number;
  readonly features: readonly UdpFeature[];
}

let loaded: Native | undefined;

/** The addon, loaded once. Throws FileError, which says how to build it. */
export function loadNative(): Native {
  loaded ??= load(packageRoot(), `linux-${process.arch}`);
  return loaded;
}

/**
 * What the package carries is for glibc on x64 and arm64. Elsewhere the addon is built when it is first needed, beside
 * that, if there are `make`, a C compiler and the right to write: so no install script is needed, which npm may be
 * told not to run.
 */
export function load(root: string, platform: string): Native {
  const carried = join(root, 'prebuilds', platform, 'loden.node');
  const built = join(root, 'prebuilds', `${platform}-built`, 'loden.node');
  const require = createRequire(import.meta.url);
  const path = [carried, built].find((candidate) => {
    try {
      return require(candidate) as Native;
    } catch {
      return false;
    }
  });
  if (path !== undefined) return require(path) as Native;
  const command = ['make', '-C', join(root, 'native'), `TARGET=${built}`] as const;
  try {
    const [file, ...words] = command;
    execFileSync(file, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    return require(built) as Native;
  } catch (cause) {
    const said = cause instanceof Error ? cause.message.trim().split('\n').at(-1) : String(cause);
    throw new FileError(
      carried,
      `loden has no native part for this machine at ${carried}, and cannot build it (${said}); with make and a C compiler, run: ${command.join(' ')}`,
      { cause },
    );
  }
}
