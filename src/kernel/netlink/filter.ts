/**
 * Which of the kernel's many messages are told of. Dumps and notifications pass through the same filter, so that the
 * mirror made of both is the same as a fresh dump.
 */
import type { Ipv4 } from '../../net/ipv4.js';
import { firstAddress, lastAddress } from '../../net/prefix.js';
import type { Ownership } from '../kernel.js';
import { type Address, type FdbEntry, keyOf, type Link, type Neighbour, type Route } from '../objects.js';
import type { AddressMessage } from './address.js';
import type { LinkMessage } from './link.js';
import type { LinkTable } from './link-table.js';
import { type NeighbourMessage, NUD_FAILED, NUD_INCOMPLETE, NUD_PERMANENT } from './neighbour.js';
import { type RouteMessage, RT_TABLE_MAIN, RTM_F_CLONED } from './route.js';
import { toAddress, toLink, toNeighbour, toRoute } from './to-objects.js';
import { Unfinished } from './tun.js';

/** What must be remembered of that which was told, to read the next notification rightly. */
export class Known {
  /** Indexes of our links, by name: a link that is renamed keeps its index. */
  readonly ownLinks = new Map<string, number>();
  /** Indexes of links that routes leave by: when one goes down, its routes go without notice. */
  readonly routeLinks = new Set<number>();
  /** Keys of neighbours and FDB entries that are, or were just now, permanent. */
  readonly permanent = new Set<string>();
  readonly unfinished = new Unfinished();
}

export class Filter {
  readonly links: LinkTable;
  readonly #known: Known;
  readonly #ownLinks: ReadonlySet<string>;
  readonly #former: ReadonlySet<string>;
  readonly #uplink: string | undefined;
  readonly #pools: readonly { first: Ipv4; last: Ipv4 }[];

  constructor(owned: Ownership, known: Known, links: LinkTable) {
    this.links = links;
    this.#known = known;
    this.#ownLinks = new Set(owned.links);
    this.#former = new Set(owned.former?.map(({ name }) => name));
    this.#uplink = owned.uplink;
    this.#pools = owned.pools.map((pool) => ({ first: firstAddress(pool), last: lastAddress(pool) }));
  }

  ownsLink(name: string | undefined): name is string {
    return name !== undefined && this.#ownLinks.has(name);
  }

  isUplink(link: LinkMessage): boolean {
    return link.name === this.#uplink;
  }

  /** Whether things of ours hang on this link: it is ours or the uplink, or routes that we told of leave by it. */
  dependsOn(link: LinkMessage): boolean {
    return this.ownsLink(link.name) || this.isUplink(link) || this.#known.routeLinks.has(link.index);
  }

  link(message: LinkMessage): Link | undefined {
    const owned = this.ownsLink(message.name);
    if (owned) this.#known.ownLinks.set(message.name!, message.index);
    return owned || this.#former.has(message.name ?? '') ? toLink(message, this.links.nameOf) : undefined;
  }

  /** The index of a link that is gone may become another's. */
  forgetLink(index: number): void {
    for (const [name, known] of this.#known.ownLinks) if (known === index) this.#known.ownLinks.delete(name);
  }

  address(message: AddressMessage): Address | undefined {
    const name = this.links.nameOf(message.link);
    return this.ownsLink(name) ? toAddress(message, name) : undefined;
  }

  /**
   * Permanent entries, and one that took a permanent one's place: the kernel's own entries, learned or for multicast,
   * come and go without meaning anything.
   */
  neighbour(message: NeighbourMessage): Neighbour | FdbEntry | undefined {
    const name = this.links.nameOf(message.link);
    if (!this.ownsLink(name) || (message.state & (NUD_INCOMPLETE | NUD_FAILED)) !== 0) return undefined;
    const entry = toNeighbour(message, name);
    if (!entry) return undefined;
    const key = keyOf(entry);
    if ((message.state & NUD_PERMANENT) !== 0) this.#known.permanent.add(key);
    return this.#known.permanent.has(key) ? entry : undefined;
  }

  /** Forgets a neighbour or an entry that is gone. False when it was never told of. */
  forget(key: string): boolean {
    return this.#known.permanent.delete(key);
  }

  /** Routes of the main table inside our pools or by our links; those with a type of service are another matter. */
  coversRoute(message: RouteMessage): boolean {
    if (message.table !== RT_TABLE_MAIN || message.tos !== 0) return false;
    if ((message.flags & RTM_F_CLONED) !== 0) return false;
    if (message.link !== undefined && this.ownsLink(this.links.nameOf(message.link))) return true;
    return this.#pools.some(
      ({ first, last }) =>
        message.destination >= first && message.destination + 2 ** (32 - message.length) - 1 <= last,
    );
  }

  route(message: RouteMessage): Route | undefined {
    if (!this.coversRoute(message)) return undefined;
    if (message.link !== undefined) this.#known.routeLinks.add(message.link);
    return toRoute(message, this.links.nameOf);
  }
}
