import type { Change, KernelState } from '../../kernel/kernel.js';
import { type KernelObject, keyOf } from '../../kernel/objects.js';

/** Milliseconds that the kernel may take to tell of a change of ours before the mirror is thought to be wrong. */
const WORD_DEADLINE_MS = 1000;

/** The word on changes that were applied together. */
export interface Expectation {
  /** Milliseconds. */
  deadline: number;
}

/**
 * The kernel's state as the kernel itself tells it: filled by a dump, kept by its notifications, our own changes
 * included, and never by what we believe to have done. What was applied is awaited: until the kernel has told of it,
 * its key is left alone.
 */
export class Mirror {
  #objects = new Map<string, KernelObject>();
  readonly #awaited = new Map<string, { readonly word: 'set' | 'gone'; readonly expectation: Expectation }>();

  /** By key; live, not a copy. */
  get objects(): ReadonlyMap<string, KernelObject> {
    return this.#objects;
  }

  /** Starts over from a dump. */
  reset(state: KernelState): void {
    this.#objects = new Map(state);
    this.#awaited.clear();
  }

  /** The kernel tells of an object, or, without one, that it is gone. Whether its key has to be looked at again. */
  tell(key: string, object: KernelObject | undefined): boolean {
    if (object) this.#objects.set(key, object);
    else this.#objects.delete(key);
    const awaited = this.#awaited.get(key);
    // An older notification of the other kind is overtaken by the word that is still to come.
    if (awaited !== undefined && awaited.word !== (object ? 'set' : 'gone')) return false;
    this.#awaited.delete(key);
    return true;
  }

  /** Changes are about to be applied: from now on the kernel's word on them is expected. It may come before its answer. */
  expect(changes: readonly Change[]): Expectation {
    const expectation = { deadline: Number.POSITIVE_INFINITY };
    const [set, gone] = [{ word: 'set', expectation } as const, { word: 'gone', expectation } as const];
    for (const { kind, object } of changes)
      if (object.kind !== 'sysctl') this.#awaited.set(keyOf(object), kind === 'remove' ? gone : set);
    return expectation;
  }

  /** The kernel has answered: what it has not told of by now is due. `now` in milliseconds. */
  isDue(expectation: Expectation, now: number): void {
    expectation.deadline = now + WORD_DEADLINE_MS;
  }

  /** The kernel refused the change, and will not tell of it. */
  refused(key: string): void {
    this.#awaited.delete(key);
  }

  isAwaited(key: string): boolean {
    return this.#awaited.has(key);
  }

  /** When the first word is overdue, in milliseconds; undefined while none is awaited. */
  get nextDeadline(): number | undefined {
    // Insertion order is deadline order: a key that is awaited is not applied again.
    return this.#awaited.values().next().value?.expectation.deadline;
  }

  /** Sets what the kernel does not notify of: values under /proc/sys. */
  note(object: KernelObject): void {
    this.#objects.set(keyOf(object), object);
  }
}
