/** The port to this host's packet filter. The real one is `host/`. */
import type { Prefix } from '../net/prefix.js';

/** All that the rules depend on. Plain data: the same wish means the same rules. */
export interface FirewallWish {
  readonly manager: 'iptables' | 'nftables';
  readonly network: Prefix;
  readonly subnet: Prefix;
  /** The pool before a change of the config: rules of ours for it go. */
  readonly previousNetwork: Prefix | undefined;
  readonly ipMasq: boolean;
  /** Where the firewall can do it. */
  readonly fullyRandom: boolean;
  readonly forwardRules: boolean;
  /** Links by which packets come from and go to peers: the overlay device, or the uplink. */
  readonly links: readonly string[];
  /** The bridge that containers are on: `docker0`. */
  readonly bridge: string;
  /** Docker will run here, so its chain for others' rules is made before it comes. */
  readonly dockerExpected: boolean;
}

/** A rule, of whosever making, that loses packets between containers. */
export interface Drop {
  /** `from eth0 to containers of this host` */
  readonly flow: string;
  /** As the firewall's own command line names it. */
  readonly rule: string;
  /** What to do about it, where that is known. */
  readonly advice: string;
}

export interface FirewallReport {
  /** In the firewall's own words; both are empty when all was as it should be. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** What stands in the way of packets between containers even so. Empty after a change: the next look tells. */
  readonly drops: readonly Drop[];
}

export interface Firewall {
  /**
   * Looks, and makes the rules as wished, each table in one transaction; what is not ours stays. Idempotent. Throws
   * FirewallError when the host has no such firewall or it refuses.
   */
  apply(wish: FirewallWish, signal: AbortSignal): Promise<FirewallReport>;

  /** What `apply` would do. Changes nothing. */
  check(wish: FirewallWish, signal: AbortSignal): Promise<FirewallReport>;

  /**
   * Takes away all rules for these networks, flanneld's too, in every kind of firewall that is here; with `look`,
   * only tells which there are. Returns them in the firewall's own words. Throws FirewallError.
   */
  remove(networks: readonly Prefix[], signal: AbortSignal, mode?: 'look'): Promise<readonly string[]>;

  /**
   * Yields after rules have changed, whoever changed them, where the kernel tells; changes that come while nobody
   * asks count as one. Listening has begun when this returns. Ends when the signal is aborted, or at once where the
   * kernel tells nothing.
   */
  events(signal: AbortSignal): AsyncIterable<void>;
}
