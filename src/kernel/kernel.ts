/**
 * The port to the kernel's network configuration. The real one is `netlink/`; a fake in `test/fakes` refuses what
 * the kernel refuses, and both pass `test/contract/kernel`.
 */

import type { KernelError } from '../errors.js';
import type { Prefix } from '../net/prefix.js';
import type { KernelObject, Link } from './objects.js';

/**
 * What of the kernel a backend has a say in. `dump` and `events` tell of nothing else; what of it is to be removed
 * when it is not desired is `isOurs` (`kernel/ownership`).
 */
export interface Ownership {
  /** Exact names of links that are ours, with their addresses, neighbours, FDB entries and routes. */
  readonly links: readonly string[];
  /**
   * Links of ours from before the config changed, to be removed. Each is ours by name, MAC and index together, and what
   * is on it goes with it: whoever takes the name later, such as another network's daemon, has a device of its own.
   */
  readonly former?: readonly Link[];
  /**
   * Our address pools: the one in force and, after a change of the config, the one before. Routes inside them are
   * told of, whoever made them, so that a clash is seen; those of them that carry our protocol number are ours.
   */
  readonly pools: readonly Prefix[];
  /**
   * The link that our packets leave by. Not ours; but when it goes down, comes up, or its addresses change, the
   * kernel may have dropped routes without telling: `overflow`.
   */
  readonly uplink: string | undefined;
  /** Paths below /proc/sys to read. */
  readonly sysctls: readonly string[];
}

/** Keyed by `keyOf`. */
export type KernelState = ReadonlyMap<string, KernelObject>;

export type KernelEvent =
  | { readonly kind: 'set'; readonly object: KernelObject }
  | { readonly kind: 'gone'; readonly key: string }
  /**
   * Events were lost, or one came after which the kernel drops things without telling (a link of ours or the uplink
   * went down, or lost an address): dump again.
   */
  | { readonly kind: 'overflow'; readonly reason: string };

export type Change =
  /**
   * The object is absent. A vxlan link that was told of under this name, and has another one by now, would be in the
   * way: it is removed first.
   */
  | { readonly kind: 'add'; readonly object: KernelObject }
  /** The object is there as `before`, and is changed in place without a gap. */
  | { readonly kind: 'replace'; readonly object: KernelObject; readonly before: KernelObject }
  /** Removing what is no longer there is a success. */
  | { readonly kind: 'remove'; readonly object: KernelObject };

export interface ApplyFailure {
  readonly change: Change;
  readonly error: KernelError;
}

export interface ApplyReport {
  readonly applied: number;
  readonly failures: readonly ApplyFailure[];
}

/** A network interface of this host, ours or not. */
export interface Interface {
  readonly index: number;
  readonly name: string;
  readonly mtu: number;
  readonly up: boolean;
  /** In the order in which flannel prefers them: global before link-local, permanent before dynamic. */
  readonly addresses: readonly InterfaceAddress[];
}

export interface InterfaceAddress {
  /** Dotted quad. */
  readonly address: string;
  /** The network it is in, masked. */
  readonly network: Prefix;
}

/** Where this host would send a packet. */
export interface RouteLookup {
  readonly link: string;
  /** Absent when the address is on-link. */
  readonly gateway?: string;
  /** The source address that the kernel would use. */
  readonly source?: string;
  /** The address is one of this host's own. */
  readonly local: boolean;
}

export interface HostRoute {
  readonly destination: Prefix;
  /** Undefined for a blackhole, and with several next hops. */
  readonly link: string | undefined;
  readonly gateway: string | undefined;
  /** As `ip route` shows it. */
  readonly text: string;
}

export interface Kernel {
  /** The state of all that `owned` covers, consistent in itself (an interrupted dump is repeated). */
  dump(owned: Ownership, signal: AbortSignal): Promise<KernelState>;

  /**
   * What changes from the moment of the call on, our own changes included, in batches, in the kernel's order.
   * Listening has begun when this returns, so: listen first, then dump. Ends when the signal is aborted.
   */
  events(owned: Ownership, signal: AbortSignal): AsyncIterable<readonly KernelEvent[]>;

  /**
   * Calls `changed` from now on, until the signal, after a link, an IPv4 address or a route that is not ours may have
   * come, gone or changed. It says nothing of what it was, and comes often and in vain: look.
   */
  onHostChange(changed: () => void, signal: AbortSignal): void;

  /** Applies in order, goes on past a failure and says which failed. Several calls run one after the other. */
  apply(changes: readonly Change[], signal: AbortSignal): Promise<ApplyReport>;

  /** All interfaces with their IPv4 addresses. */
  interfaces(signal: AbortSignal): Promise<readonly Interface[]>;

  /** All IPv4 routes of the main table, whoever made them. */
  routes(signal: AbortSignal): Promise<readonly HostRoute[]>;

  /** What `ip route get` says; undefined when the address is unreachable. */
  routeTo(address: string, signal: AbortSignal): Promise<RouteLookup | undefined>;

  /** Frees the sockets. Idempotent. */
  close(): void;
}
