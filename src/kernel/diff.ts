/**
 * What to change in the kernel, from what should be there and what is.
 *
 * Order: links, sysctls, addresses, neighbours, FDB entries, routes, each once what it needs is in place; then
 * removals, in reverse. So a packet finds its way at every moment, and no route points at nothing.
 *
 * What is foreign is never touched. Where it stands in our way that is a clash, and reported.
 */
import type { Change, KernelState, Ownership } from './kernel.js';
import { type KernelObject, keyOf, type Link } from './objects.js';
import { isOurs } from './ownership.js';
import { compareRivals, destinationsOf } from './rival-routes.js';
import { canBecome, sameObject } from './same-object.js';
import { describe } from './text.js';

export interface DiffInput {
  /** Keyed by `keyOf`, as `observed` is. */
  readonly desired: ReadonlyMap<string, KernelObject>;
  readonly observed: KernelState;
  readonly owned: Ownership;
  /**
   * Look at these keys alone, after an event. Costs little more than the keys do; only where routes are among them,
   * all objects are looked through for others to the same destinations (1 ms at 10,000 peers).
   */
  readonly keys?: Iterable<string>;
  /**
   * Whether what stood under this key was seen to be ours while we ran. A foreign route in its place is then an
   * alteration of ours, and is put right; otherwise it was there before us, and is a clash.
   */
  readonly held?: (key: string) => boolean;
}

/** Something foreign is in the way of what we want. */
export interface Clash {
  readonly desired: KernelObject;
  readonly foreign: KernelObject;
  /** Both as `ip` text, for a person. */
  readonly reason: string;
}

export interface Difference {
  /** In the order in which to apply them. */
  readonly changes: readonly Change[];
  readonly clashes: readonly Clash[];
}

const ORDER = ['link', 'sysctl', 'address', 'neighbour', 'fdb', 'route'] as const;

export function diff(input: DiffInput): Difference {
  return new Comparison(input).result();
}

class Comparison {
  readonly #input: DiffInput;
  readonly #keys: ReadonlySet<string>;
  /** Names of links that a foreign device has: nothing on them can be done. */
  readonly #blocked = new Set<string>();
  /** Names of links that are about to be made: whatever was observed on them is, or will be, gone. */
  readonly #made = new Set<string>();
  readonly #changes: Change[] = [];
  readonly #removals: Change[] = [];
  readonly #clashes: Clash[] = [];

  constructor(input: DiffInput) {
    this.#input = input;
    this.#keys = new Set(input.keys ?? [...input.desired.keys(), ...input.observed.keys()]);
    for (const name of input.owned.links) this.#judgeLink(name);
  }

  result(): Difference {
    const { desired, observed } = this.#input;
    for (const key of this.#keys) this.#compare(key, desired.get(key), observed.get(key));
    this.#addWhatMadeLinksCarry();
    this.#compareRivalRoutes();
    return {
      changes: [...inOrder(this.#changes), ...inOrder(this.#removals).reverse()],
      clashes: this.#clashes,
    };
  }

  #judgeLink(name: string): void {
    const key = `link ${name}`;
    const wanted = this.#input.desired.get(key);
    const found = this.#input.observed.get(key);
    if (wanted?.kind !== 'link') return;
    if (found?.kind !== 'link') {
      if (this.#keys.has(key)) this.#made.add(name);
    } else if (found.type !== wanted.type) {
      this.#blocked.add(name);
    } else if (!canBecome(found, wanted) && this.#keys.has(key)) {
      this.#made.add(name);
    }
  }

  #compare(key: string, wanted: KernelObject | undefined, found: KernelObject | undefined): void {
    const object = wanted ?? found;
    if (!object) return;
    if (object.kind === 'link') {
      this.#compareLink(object, wanted, found);
    } else if (!this.#isOn(object, this.#blocked) && !this.#isOn(object, this.#made)) {
      this.#compareObject(key, wanted, found);
    }
  }

  #compareLink(link: Link, wanted: KernelObject | undefined, found: KernelObject | undefined): void {
    if (this.#blocked.has(link.name)) {
      this.#clash(link, found!, `${link.name} is a device of another kind; rename or remove it`);
    } else if (this.#made.has(link.name)) {
      if (found) this.#changes.push({ kind: 'remove', object: found });
      this.#changes.push({ kind: 'add', object: link });
    } else if (wanted && found) {
      if (!sameObject(wanted, found)) this.#changes.push({ kind: 'replace', object: wanted, before: found });
    } else if (found && isOurs(found, this.#input.owned)) {
      this.#removals.push({ kind: 'remove', object: found });
    }
  }

  #compareObject(key: string, wanted: KernelObject | undefined, found: KernelObject | undefined): void {
    const { owned, held } = this.#input;
    if (!wanted) {
      if (found && isOurs(found, owned)) this.#removals.push({ kind: 'remove', object: found });
    } else if (!found) {
      // A value that was looked for and is not there is one that this kernel does not have.
      if (wanted.kind !== 'sysctl') this.#changes.push({ kind: 'add', object: wanted });
    } else if (!sameObject(wanted, found)) {
      if (wanted.kind === 'sysctl' || isOurs(found, owned) || held?.(key)) {
        this.#changes.push({ kind: 'replace', object: wanted, before: found });
      } else {
        this.#clash(wanted, found, 'it has the same destination and metric as ours');
      }
    }
  }

  #addWhatMadeLinksCarry(): void {
    if (this.#made.size === 0) return;
    const { desired, observed } = this.#input;
    for (const [key, object] of desired) {
      if (object.kind === 'link' || !this.#isOn(object, this.#made)) continue;
      const found = observed.get(key);
      // What was on the link goes with it; a route to the same place by another link does not.
      if (found?.kind === 'route' && !this.#isOn(found, this.#made)) this.#compareObject(key, object, found);
      else this.#changes.push({ kind: 'add', object });
    }
  }

  #compareRivalRoutes(): void {
    const clashing = new Set(this.#clashes.map(({ desired }) => keyOf(desired)));
    const destinations = destinationsOf(this.#keys, this.#input);
    for (const { ours, rival, verdict } of compareRivals(destinations, this.#input)) {
      if (clashing.has(keyOf(ours)) || this.#isOn(ours, this.#blocked)) continue;
      if (verdict === 'leftover') this.#removals.push({ kind: 'remove', object: rival });
      else this.#clash(ours, rival, 'its lower metric puts it before ours');
    }
  }

  #isOn(object: KernelObject, links: ReadonlySet<string>): boolean {
    if (links.size === 0) return false;
    if (object.kind === 'link') return links.has(object.name);
    if (object.kind === 'sysctl') return object.path.split('/').some((part) => links.has(part));
    return object.link !== undefined && links.has(object.link);
  }

  #clash(desired: KernelObject, foreign: KernelObject, why: string): void {
    const reason = `${desired.kind} ${describe(foreign)} is not ours and is in the way of ${describe(desired)}: ${why}`;
    this.#clashes.push({ desired, foreign, reason });
  }
}

/** Sorts by kind and leaves the order within a kind as it is. */
function inOrder(changes: readonly Change[]): Change[] {
  return ORDER.flatMap((kind) => changes.filter(({ object }) => object.kind === kind));
}
