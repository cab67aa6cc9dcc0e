import { type KernelObject, keyOf } from '../../kernel/objects.js';

interface Claim {
  readonly owner: string;
  readonly object: KernelObject;
}

/**
 * What the kernel should hold: the union of what each owner, this host itself or one peer, wants.
 *
 * Two peers may want one key differently (two leases that name one VTEP MAC). Then the owner that sorts first has it,
 * whatever the order in which they came, so that a plan kept up by events equals one made at once.
 */
export class Desired {
  readonly #byOwner = new Map<string, readonly KernelObject[]>();
  readonly #claims = new Map<string, readonly Claim[]>();
  readonly #objects = new Map<string, KernelObject>();

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
      this.#settle(key, this.#others(key, owner));
      touched.add(key);
    }
    for (const object of objects) {
      const key = keyOf(object);
      this.#settle(key, [...this.#others(key, owner), { owner, object }]);
      touched.add(key);
    }
    if (objects.length === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, objects);
    return touched;
  }

  #others(key: string, owner: string): readonly Claim[] {
    return (this.#claims.get(key) ?? []).filter((claim) => claim.owner !== owner);
  }

  #settle(key: string, claims: readonly Claim[]): void {
    const [first, ...rest] = claims;
    if (first === undefined) {
      this.#claims.delete(key);
      this.#objects.delete(key);
      return;
    }
    const winner = rest.reduce((best, claim) => (claim.owner < best.owner ? claim : best), first);
    this.#claims.set(key, claims);
    this.#objects.set(key, winner.object);
  }
}
