/**
 * Keeps the packet path open and its table as our peers are, where the backend has one.
 *
 * The device is the reconciler's: until it is there, at the start or after somebody deleted it, opening fails and is
 * tried again, and only what lasts is worth a word. A device that is somebody else's now, in another network namespace, is
 * as good as gone, though the path attached to it does not notice; so we look when the host's network changes.
 */
import type { Logger } from 'pino';
import type { PacketPath, PacketPathWish, PacketPeer } from '../../backend/packet-path.js';
import { PacketPathError } from '../../errors.js';
import type { Kernel } from '../../kernel/kernel.js';
import { type Backoff, backoffMs } from '../../lease/backoff.js';
import type { LeaseKey } from '../../lease/store.js';
import { Bell } from '../bell.js';
import type { HeldPath } from './held-path.js';

const RETRY: Backoff = { firstMs: 20, capMs: 1000 };
/** A path that was open for so long is no sign of the next one ending at once. */
const STEADY_MS = 10_000;
/** The reconciler makes a device in milliseconds. */
const PATIENCE_MS = 1000;

interface KeeperInput {
  readonly wish: PacketPathWish;
  readonly held: HeldPath;
  readonly kernel: Pick<Kernel, 'onHostChange'>;
  readonly log: Logger;
}

export class PacketPathKeeper {
  readonly #input: KeeperInput;
  readonly #peers = new Map<LeaseKey, PacketPeer>();
  /** Undefined while none is open, or when we are not its keeper any more. */
  #path: PacketPath | undefined;
  #tableIsDue = false;
  /** Since when there has been none, in milliseconds. */
  #missingSince = performance.now();
  /** What the log was told of last. */
  #told: string | undefined;

  constructor(input: KeeperInput) {
    this.#input = input;
  }

  /** Where a peer is; undefined when it has gone. Takes effect once the event loop turns, with all others set till then. */
  set(key: LeaseKey, peer: PacketPeer | undefined): void {
    const before = this.#peers.get(key);
    if (before?.publicIp === peer?.publicIp) return;
    if (peer) this.#peers.set(key, peer);
    else this.#peers.delete(key);
    if (this.#tableIsDue) return;
    this.#tableIsDue = true;
    setImmediate(() => this.#setTable());
  }

  /** Settles when the device is ours among all daemons of this host, or when the signal is aborted. */
  async claim(signal: AbortSignal): Promise<void> {
    const { held, wish } = this.#input;
    const isOurs = () => this.#attempt(() => held.claim(wish.device));
    for (let failures = 0; !signal.aborted && !(await isOurs()); failures++)
      await new Bell().wait(backoffMs(failures, RETRY, Math.random), signal);
  }

  /** Settles when the signal is aborted, and leaves the path open. Calls `onOpen` once, when it is open for the first time. */
  async run(signal: AbortSignal, onOpen: () => void): Promise<void> {
    const { held, wish, kernel, log } = this.#input;
    let announced = false;
    let failures = 0;
    while (!signal.aborted) {
      this.#path = await this.#attempt(() => held.take(wish));
      if (this.#path) {
        this.#setTable();
        if (!announced) onOpen();
        announced = true;
        const since = performance.now();
        const reason = await ended(this.#path, kernel, signal);
        this.#path = undefined;
        if (reason === undefined) return;
        held.close();
        log.warn({ reason: reason.message }, 'packet path ended, opening it again');
        this.#missingSince = performance.now();
        if (this.#missingSince - since > STEADY_MS) failures = 0;
      }
      await new Bell().wait(backoffMs(failures++, RETRY, Math.random), signal);
    }
  }

  #setTable(): void {
    this.#tableIsDue = false;
    this.#path?.setPeers([...this.#peers.values()]);
  }

  /** Undefined when it cannot be; what lasts is told of. */
  async #attempt<T>(what: () => T): Promise<T | undefined> {
    try {
      const result = what();
      this.#told = undefined;
      return result;
    } catch (error) {
      if (!(error instanceof PacketPathError)) throw error;
      await this.#complain(error);
      return undefined;
    }
  }

  async #complain({ message }: PacketPathError): Promise<void> {
    const { held, wish, log } = this.#input;
    if (this.#told === message || performance.now() - this.#missingSince < PATIENCE_MS) return;
    this.#told = message;
    const obstacle = await held.obstacle(wish);
    log.error({ error: message, obstacle }, 'packet path cannot be opened, trying again');
  }
}

/** Why a path is of no use any more; undefined when the signal was aborted before. */
function ended(
  path: PacketPath,
  kernel: Pick<Kernel, 'onHostChange'>,
  signal: AbortSignal,
): Promise<Error | undefined> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  return new Promise<Error | undefined>((resolve) => {
    const look = () => {
      if (!path.isAttached()) resolve(new Error('the device is another one, or gone'));
    };
    until.addEventListener('abort', () => resolve(undefined));
    if (signal.aborted) return resolve(undefined);
    kernel.onHostChange(look, until);
    look();
    void path.failed.then(resolve);
  }).finally(() => over.abort());
}
