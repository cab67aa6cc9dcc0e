import { createRequire } from 'node:module';
import { join } from 'node:path';
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
   * Listens to multicast groups (a mask, as in `sockaddr_nl`) from now on. Calls back with many whole messages, or
   * with an errno: ENOBUFS when the kernel dropped messages at this point, another when listening has ended.
   */
  netlinkListen(
    groups: number,
    callback: (messages: Buffer | undefined, errno: number | undefined) => void,
  ): NativeHandle;
  /** No callback comes after this. Idempotent. */
  netlinkStopListening(listener: NativeHandle): void;
  /** Sends one datagram, as sd_notify(3) does; a path that begins with `@` is an abstract name. */
  notify(path: string, message: string): void;
}

let loaded: Native | undefined;

/** The addon, loaded once. Throws an Error that says how to build it. */
export function loadNative(): Native {
  loaded ??= load(packageRoot(), `linux-${process.arch}`);
  return loaded;
}

export function load(root: string, platform: string): Native {
  const path = join(root, 'prebuilds', platform, 'loden.node');
  try {
    return createRequire(import.meta.url)(path) as Native;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new Error(
      `cannot load loden's native part ${path} (${reason}); to build it, run: make -C ${join(root, 'native')}`,
      { cause },
    );
  }
}
