import type { Logger } from 'pino';
import type { Clash } from '../../kernel/diff.js';
import type { ApplyFailure, Change } from '../../kernel/kernel.js';
import { keyOf } from '../../kernel/objects.js';
import { command } from '../../kernel/text.js';

/** How many changes a log line spells out. */
const EXAMPLES = 3;

/** What reconciling finds wrong. Each finding is logged when it comes up, and known for as long as it stands. */
export class Findings {
  readonly #log: Logger;
  readonly #failing = new Map<string, string>();
  /** By the key of what is wanted. */
  readonly #clashes = new Map<string, { readonly foreign: string; readonly reason: string }>();
  #repaired = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Changes undone that somebody else had made, since the start. */
  get repaired(): number {
    return this.#repaired;
  }

  /** What the kernel refuses, and why. */
  get failing(): readonly string[] {
    return [...this.#failing.values()];
  }

  failingKeys(): Iterable<string> {
    return this.#failing.keys();
  }

  /** What is in the way and not ours. */
  get clashes(): readonly string[] {
    return [...this.#clashes.values()].map(({ reason }) => reason);
  }

  /** Whether what is wanted under this key is refused, or something is in its way. */
  concern(key: string): boolean {
    return this.#failing.has(key) || this.#clashes.has(key);
  }

  succeeded(changes: readonly Change[]): void {
    if (this.#failing.size === 0) return;
    for (const { object } of changes) this.#failing.delete(keyOf(object));
  }

  failed(failures: readonly ApplyFailure[]): void {
    const fresh = failures.filter(({ change }) => !this.#failing.has(keyOf(change.object)));
    for (const { change, error } of failures) this.#failing.set(keyOf(change.object), error.message);
    if (fresh[0] === undefined) return;
    this.#log.error({ failed: fresh.length, error: fresh[0].error.message }, 'kernel refused a change');
  }

  /** These keys were looked at: what is not to be changed there, or not in the way there, is no finding any more. */
  looked(keys: ReadonlySet<string>, changes: readonly Change[], clashes: readonly Clash[]): void {
    if (this.#failing.size > 0) {
      const changed = new Set(changes.map(({ object }) => keyOf(object)));
      for (const key of this.#failing.keys()) {
        if (keys.has(key) && !changed.has(key)) this.#failing.delete(key);
      }
    }
    const standing = new Set(clashes.map(({ reason }) => reason));
    for (const [wanted, { foreign, reason }] of this.#clashes) {
      if ((keys.has(wanted) || keys.has(foreign)) && !standing.has(reason)) this.#clashes.delete(wanted);
    }
    for (const { desired, foreign, reason } of clashes) {
      const wanted = keyOf(desired);
      if (this.#clashes.get(wanted)?.reason !== reason)
        this.#log.error({ reason }, 'something not ours is in the way');
      this.#clashes.set(wanted, { foreign: keyOf(foreign), reason });
    }
  }

  /** The first pass. A setting is the whole host's: whoever wonders who turned forwarding on finds it in the log. */
  programmed(applied: readonly Change[], failed: number, milliseconds: number): void {
    for (const change of applied) {
      if (change.kind === 'replace' && change.object.kind === 'sysctl')
        this.#log.info({ setting: command(change) }, 'kernel setting changed');
    }
    const changes = applied.length + failed;
    this.#log.info({ changes, failed, milliseconds: Math.round(milliseconds) }, 'kernel programmed');
  }

  putBack(repairs: readonly Change[]): void {
    if (repairs.length === 0) return;
    this.#repaired += repairs.length;
    const examples = repairs.slice(0, EXAMPLES).flatMap((change) => command(change));
    this.#log.warn(
      { repaired: repairs.length, examples },
      'kernel state was changed by someone else, put back',
    );
  }
}
