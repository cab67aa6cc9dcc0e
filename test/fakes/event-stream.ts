import type { KernelEvent, Ownership } from '../../src/kernel/kernel.js';
import type { KernelObject } from '../../src/kernel/objects.js';
import { contains, parsePrefix } from '../../src/net/prefix.js';

/** Events for one listener of the fake kernel, in batches of all that has gathered. */
export class EventStream implements AsyncIterable<readonly KernelEvent[]> {
  /** Events are lost while this is set. */
  deaf = false;
  readonly uplink: string | undefined;
  readonly #owned: Ownership;
  #waiting: KernelEvent[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(owned: Ownership) {
    this.#owned = owned;
    this.uplink = owned.uplink;
  }

  tellAbout(event: KernelEvent, object: KernelObject): void {
    if (object.kind !== 'sysctl' && isTold(object, this.#owned)) this.tell(event);
  }

  tell(event: KernelEvent): void {
    if (this.deaf) return;
    this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly KernelEvent[]> {
    for (;;) {
      while (!this.#ended && this.#waiting.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (this.#ended) return;
      yield this.#waiting.splice(0);
    }
  }
}

/** As the real adapter filters: links of ours and what is on them, routes by them or inside our pools. */
export function isTold(object: KernelObject, owned: Ownership): boolean {
  switch (object.kind) {
    case 'link':
      return [...owned.links, ...(owned.former ?? []).map(({ name }) => name)].includes(object.name);
    case 'sysctl':
      return owned.sysctls.includes(object.path);
    case 'route': {
      const destination = parsePrefix(object.destination)!;
      if (object.link !== undefined && owned.links.includes(object.link)) return true;
      return owned.pools.some((pool) => contains(pool, destination));
    }
    default:
      return owned.links.includes(object.link);
  }
}
