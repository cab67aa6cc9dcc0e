/**
 * From the kernel's notifications to events.
 *
 * The kernel does not tell of IPv4 routes that it drops because their link went down or away, or because their source
 * address did (`fib_flush` in net/ipv4/fib_trie.c sends nothing). So where that may have happened the event is an
 * overflow: look again.
 */
import type { KernelEvent, Ownership } from '../kernel.js';
import { keyOf } from '../objects.js';
import { RTM_DELADDR, RTM_NEWADDR, readAddress } from './address.js';
import { Filter, type Known } from './filter.js';
import { type LinkMessage, RTM_DELLINK, RTM_NEWLINK, readLink } from './link.js';
import type { LinkTable } from './link-table.js';
import { MessageReader, NLM_F_APPEND } from './message.js';
import { RTM_DELNEIGH, RTM_NEWNEIGH, readNeighbour } from './neighbour.js';
import { RTM_DELROUTE, RTM_NEWROUTE, readRoute } from './route.js';
import { neighbourKey, toRoute } from './to-objects.js';

export class EventReader {
  readonly #filter: Filter;
  readonly #known: Known;
  readonly #links: LinkTable;
  #events: KernelEvent[] = [];

  constructor(owned: Ownership, known: Known, links: LinkTable) {
    this.#links = links;
    this.#known = known;
    this.#filter = new Filter(owned, known, links);
  }

  /** The events in a buffer of notifications, in their order. */
  read(buffer: Buffer): KernelEvent[] {
    this.#events = [];
    const message = new MessageReader(buffer);
    while (message.next()) this.#readMessage(message);
    return this.#events;
  }

  #readMessage(message: MessageReader): void {
    const { type } = message;
    if (type === RTM_NEWLINK || type === RTM_DELLINK) this.#link(message);
    else if (type === RTM_NEWADDR || type === RTM_DELADDR) this.#address(message);
    else if (type === RTM_NEWNEIGH || type === RTM_DELNEIGH) this.#neighbour(message);
    else if (type === RTM_NEWROUTE || type === RTM_DELROUTE) this.#route(message);
  }

  #overflow(reason: string): void {
    this.#events.push({ kind: 'overflow', reason });
  }

  #link({ type, buffer, start, end }: MessageReader): void {
    const link = readLink(buffer, start, end);
    // A bridge tells of its ports with the family AF_BRIDGE; that is not about the link.
    if (link.family !== 0) return;
    if (type === RTM_NEWLINK) this.#linkSet(link);
    else this.#linkGone(link);
  }

  #linkSet(link: LinkMessage): void {
    const before = this.#links.get(link.index);
    const depended = before !== undefined && this.#filter.dependsOn(before);
    this.#links.set(link);
    const own = this.#filter.link(link);
    if (own && !this.#known.unfinished.isStep(own)) this.#events.push({ kind: 'set', object: own });
    if (link.up && !before?.up && this.#filter.isUplink(link)) this.#overflow(`uplink ${link.name} came up`);
    if (!depended) return;
    if (before.name !== link.name) {
      if (this.#filter.ownsLink(before.name)) this.#events.push({ kind: 'gone', key: `link ${before.name}` });
      this.#overflow(`link ${before.name} was renamed to ${link.name}`);
    } else if (before.up && !link.up) {
      this.#overflow(`link ${link.name} went down`);
    }
  }

  #linkGone(link: LinkMessage): void {
    const depended = this.#filter.dependsOn(link);
    const own = this.#filter.link(link);
    this.#links.delete(link.index);
    this.#filter.forgetLink(link.index);
    if (own) this.#events.push({ kind: 'gone', key: keyOf(own) });
    if (depended) this.#overflow(`link ${link.name} was removed`);
  }

  #address({ type, buffer, start, end }: MessageReader): void {
    const message = readAddress(buffer, start, end);
    if (!message) return;
    const address = this.#filter.address(message);
    const link = this.#links.get(message.link);
    if (type === RTM_NEWADDR) {
      if (address) this.#events.push({ kind: 'set', object: address });
      if (link && this.#filter.isUplink(link)) this.#overflow(`uplink ${link.name} got an address`);
      return;
    }
    if (address) this.#events.push({ kind: 'gone', key: keyOf(address) });
    if (link && this.#filter.dependsOn(link)) this.#overflow(`link ${link.name} lost an address`);
  }

  #neighbour({ type, buffer, start, end }: MessageReader): void {
    const message = readNeighbour(buffer, start, end);
    const set = type === RTM_NEWNEIGH ? this.#filter.neighbour(message) : undefined;
    if (set) {
      this.#events.push({ kind: 'set', object: set });
      return;
    }
    // Gone, or there but of no use: the kernel marks an entry as failed before it removes it.
    const name = this.#links.nameOf(message.link);
    if (!this.#filter.ownsLink(name)) return;
    const key = neighbourKey(message, name);
    if (this.#filter.forget(key)) this.#events.push({ kind: 'gone', key });
  }

  #route({ type, flags, buffer, start, end }: MessageReader): void {
    const message = readRoute(buffer, start, end);
    if (!message || !this.#filter.coversRoute(message)) return;
    if (type === RTM_DELROUTE) {
      this.#events.push({ kind: 'gone', key: keyOf(toRoute(message, this.#links.nameOf)) });
      return;
    }
    const route = this.#filter.route(message);
    if (!route) return;
    if (message.link !== undefined && route.link === undefined) {
      this.#overflow(`a route to ${route.destination} leaves by a link that is gone`);
    } else if ((flags & NLM_F_APPEND) !== 0) {
      this.#overflow(`a second route to ${route.destination} with metric ${route.metric} was added`);
    } else {
      this.#events.push({ kind: 'set', object: route });
    }
  }
}
