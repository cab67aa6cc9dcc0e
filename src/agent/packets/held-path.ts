import type { Logger } from 'pino';
import type { PacketCounters, PacketPath, PacketPaths, PacketPathWish } from '../../backend/packet-path.js';

/**
 * The packet path of this process. It outlives those who use it: what was opened from the last known state, before etcd
 * was asked, is what the membership goes on with, and the one after that.
 */
export class HeldPath {
  readonly #paths: PacketPaths;
  readonly #log: Logger;
  #claimed: { readonly device: string; readonly release: () => void } | undefined;
  #held: { readonly wish: PacketPathWish; readonly path: PacketPath } | undefined;

  constructor(paths: PacketPaths, log: Logger) {
    this.#paths = paths;
    this.#log = log;
  }

  /** Makes the device ours among all daemons of this host, until `release`; true. Idempotent. Throws PacketPathError. */
  claim(device: string): true {
    if (this.#claimed?.device !== device) {
      this.release();
      this.#claimed = { device, release: this.#paths.claim(device) };
    }
    return true;
  }

  /** The one that is open, if it was opened for this very wish; or else, that one closed, a new one. Throws PacketPathError. */
  take(wish: PacketPathWish): PacketPath {
    if (this.#held && isSame(this.#held.wish, wish)) return this.#held.path;
    this.close();
    this.claim(wish.device);
    const path = this.#paths.open(wish);
    this.#held = { wish, path };
    const { device, address, port } = wish;
    const { queues, names } = path.features;
    this.#log.info({ device, address, port, queues, features: names }, 'packet path is open');
    return path;
  }

  /** Who keeps such a path from being opened, as a phrase; undefined when that cannot be told. */
  obstacle(wish: PacketPathWish): Promise<string | undefined> {
    return this.#paths.obstacle(wish);
  }

  /** Undefined while none is open. They begin anew with each path. */
  counters(): PacketCounters | undefined {
    return this.#held?.path.counters();
  }

  /** The device stays ours. Idempotent. */
  close(): void {
    this.#held?.path.close();
    this.#held = undefined;
  }

  /** Closes, and leaves the device to who wants it. Idempotent. */
  release(): void {
    this.close();
    this.#claimed?.release();
    this.#claimed = undefined;
  }
}

function isSame(a: PacketPathWish, b: PacketPathWish): boolean {
  return (
    a.device === b.device &&
    a.address === b.address &&
    a.port === b.port &&
    a.tunnelAddress === b.tunnelAddress
  );
}
