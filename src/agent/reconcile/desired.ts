import { type KernelObject, keyOf } from '../../kernel/objects.js';

/**
 * What the kernel should hold: the union of what each owner, this host itself or one peer, wants.
 *
 * Two owners may want one key differently, though leases are judged so that they seldom do. Then the owner that sorts
 * first has it, whatever the order in which they came, so that a plan kept up by events equals one made at once.
 */
export class Desired {
  readonly #byOwner = new Map<string, readonly KernelObject[]>();
  readonly #objects = new Map<string, KernelObject>();
  /** Who has the key. */
  readonly #holders = new Map<string, string>();
  /** What others want under a key, by owner. Rare, and so not kept for keys that one owner wants. */
  readonly #waiting = new Map<string, Map<string, KernelObject>>();

  /** By key; live, not a copy. */
  get objects(): ReadonlyMap<string, KernelObject> {
    return this.#objects;
  }

  keysOf(owner: string): readonly string[] {
    return (this.#byOwner.get(owner) ?? []).map(keyOf);
  }

  /** Replaces all that the owner wants; an empty list forgets it. Returns the keys that may have changed. */
  set(owner: string, objects: readonly KernelObject[]): ReadonlySet<string> {
    const touched = new Set<string>();
    for (const object of this.#byOwner.get(owner) ?? []) {
      const key = keyOf(object);
      this.#release(key, owner);
      touched.add(key);
    }
    for (const object of objects) {
      const key = keyOf(object);
      this.#claim(key, owner, object);
      touched.add(key);
    }
    if (objects.length === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, objects);
    return touched;
  }

  #claim(key: string, owner: string, object: KernelObject): void {
    const holder = this.#holders.get(key);
    if (holder === undefined || holder === owner) {
      this.#give(key, owner, object);
    } else if (owner < holder) {
      this.#wait(key, holder, this.#objects.get(key)!);
      this.#give(key, owner, object);
    } else {
      this.#wait(key, owner, object);
    }
  }

  #release(key: string, owner: string): void {
    const waiting = this.#waiting.get(key);
    if (this.#holders.get(key) === owner) {
      const [next] = [...(waiting?.keys() ?? [])].sort();
      if (next === undefined) {
        this.#holders.delete(key);
        this.#objects.delete(key);
        return;
      }
      this.#give(key, next, waiting!.get(next)!);
      waiting!.delete(next);
    } else {
      waiting?.delete(owner);
    }
    if (waiting?.size === 0) this.#waiting.delete(key);
  }

  #give(key: string, owner: string, object: KernelObject): void {
    this.#holders.set(key, owner);
    this.#objects.set(key, object);
  }

  #wait(key: string, owner: string, object: KernelObject): void {
    const waiting = this.#waiting.get(key) ?? new Map<string, KernelObject>();
    this.#waiting.set(key, waiting.set(owner, object));
  }
}
