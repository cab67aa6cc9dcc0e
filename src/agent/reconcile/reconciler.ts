/**
 * Keeps the kernel as desired.
 *
 *   set(owner, objects) ──▶ Desired ─┐
 *                                    ├─▶ diff over the dirty keys ─▶ apply ─▶ kernel
 *   kernel ── dump, then events ──▶ Mirror ─┘                                   │
 *      └◀──────────────────────── the kernel's own word on what was applied ◀───┘
 *
 * One loop does all of it. Whatever happens only marks keys as dirty, or the whole mirror as doubtful, and wakes the
 * loop. A wake-up carries no state, so a missed, repeated or late one does no harm: start, a peer's change, a repair
 * and a retry are the same pass over other keys.
 *
 * A key costs one comparison when it is dirty; a doubtful mirror costs a dump and one comparison per object.
 */
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import { KernelError } from '../../errors.js';
import { diff } from '../../kernel/diff.js';
import type { ApplyFailure, Change, Kernel, KernelEvent, Ownership } from '../../kernel/kernel.js';
import { type KernelObject, keyOf } from '../../kernel/objects.js';
import { isOurs } from '../../kernel/ownership.js';
import { sameObject } from '../../kernel/same-object.js';
import { backoffMs } from '../../lease/backoff.js';
import { Bell } from '../bell.js';
import { Desired } from './desired.js';
import { Findings } from './findings.js';
import { Mirror } from './mirror.js';

/** How long the kernel is left alone after it refused something. */
const RETRY = { firstMs: 100, capMs: 5000 };

interface ReconcilerInput {
  readonly kernel: Kernel;
  readonly owned: Ownership;
  readonly log: Logger;
  /** Every so many milliseconds the kernel is dumped and compared as a whole. */
  readonly resyncMs: number;
  /** The owner without whose objects nothing works: a kernel that lacks one of them has not converged. */
  readonly vital: string;
}

/** What made a key dirty: our plan; or the kernel, and then a difference is somebody else's doing. */
type Cause = 'plan' | 'kernel';

export interface ReconcilerStatus {
  /** Objects that should be in the kernel. */
  readonly desired: number;
  readonly repaired: number;
  readonly failing: readonly string[];
  readonly clashes: readonly string[];
}

export class Reconciler {
  readonly #kernel: Kernel;
  readonly #owned: Ownership;
  readonly #log: Logger;
  readonly #resyncMs: number;
  readonly #vital: string;

  readonly #desired = new Desired();
  readonly #mirror = new Mirror();
  /** Keys to compare, and why. */
  #dirty = new Map<string, Cause>();
  /** Dirty keys of which the kernel has yet to tell. */
  readonly #postponed = new Map<string, Cause>();
  /**
   * Keys that were seen as ours while running: what they turn into is an alteration, not somebody's property. Kept as
   * long as they are wanted or there.
   */
  readonly #held = new Set<string>();
  readonly #findings: Findings;
  /** Why the mirror is not to be trusted; undefined when it is. */
  #doubt: string | undefined = 'start';
  #failedPasses = 0;
  #retryAt: number | undefined;
  #resyncAt = 0;
  readonly #bell = new Bell();

  constructor({ kernel, owned, log, resyncMs, vital }: ReconcilerInput) {
    this.#kernel = kernel;
    this.#owned = owned;
    this.#log = log;
    this.#findings = new Findings(log);
    this.#resyncMs = resyncMs;
    this.#vital = vital;
  }

  /** Replaces what one owner wants in the kernel; an empty list removes it. Takes effect in the loop, at once. */
  set(owner: string, objects: readonly KernelObject[]): void {
    for (const key of this.#desired.set(owner, objects)) this.#dirty.set(key, 'plan');
    this.#bell.ring();
  }

  status(): ReconcilerStatus {
    const { repaired, failing, clashes } = this.#findings;
    return {
      desired: this.#desired.objects.size,
      repaired,
      failing,
      clashes,
    };
  }

  /** Listens and loops until the signal. Calls `onConverged` once, after the first pass that got all that is vital. */
  async run(signal: AbortSignal, onConverged: () => void): Promise<void> {
    const listening = this.#listen(this.#kernel.events(this.#owned, signal));
    try {
      let converged = false;
      while (!signal.aborted) {
        await this.#somethingToDo(signal);
        if (signal.aborted || !(await this.#passed(signal)) || converged || this.#lacksVital()) continue;
        converged = true;
        onConverged();
      }
    } finally {
      await listening;
    }
  }

  /** A setting that cannot be written, as in a container, keeps nobody from going on: it may be as it should. */
  #lacksVital(): boolean {
    const keys = this.#desired.keysOf(this.#vital).filter((key) => !key.startsWith('sysctl '));
    return keys.some((key) => this.#findings.concern(key));
  }

  async #listen(events: AsyncIterable<readonly KernelEvent[]>): Promise<void> {
    for await (const batch of events) {
      for (const event of batch) this.#hear(event);
      this.#bell.ring();
    }
  }

  #hear(event: KernelEvent): void {
    if (event.kind === 'overflow') {
      this.#doubt = event.reason;
      return;
    }
    const [key, object] = event.kind === 'set' ? [keyOf(event.object), event.object] : [event.key, undefined];
    const toLookAt = this.#mirror.tell(key, object);
    if (!object) {
      this.#letGo(key);
    } else {
      if (isOurs(object, this.#owned)) this.#held.add(key);
      if (this.#isAsDesired(key, object)) {
        this.#postponed.delete(key);
        return;
      }
    }
    if (!toLookAt || this.#dirty.has(key)) return;
    this.#dirty.set(key, this.#postponed.get(key) ?? 'kernel');
    this.#postponed.delete(key);
  }

  #letGo(key: string): void {
    if (!this.#desired.objects.has(key)) this.#held.delete(key);
  }

  #isAsDesired(key: string, object: KernelObject): boolean {
    const desired = this.#desired.objects.get(key);
    return desired !== undefined && sameObject(desired, object);
  }

  /** Settles when there is a reason for a pass. */
  async #somethingToDo(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#dirty.size === 0 && this.#doubt === undefined) {
      const now = performance.now();
      const overdue = this.#mirror.nextDeadline ?? Number.POSITIVE_INFINITY;
      const retryAt = this.#retryAt ?? Number.POSITIVE_INFINITY;
      if (now >= overdue) this.#doubt = 'the kernel did not tell of a change that it accepted';
      else if (now >= this.#resyncAt) this.#doubt = 'resync';
      else if (now >= retryAt) this.#retryFailing();
      else await this.#bell.wait(Math.min(overdue, retryAt, this.#resyncAt) - now, signal);
    }
  }

  #retryFailing(): void {
    this.#retryAt = undefined;
    for (const key of this.#findings.failingKeys()) this.#dirty.set(key, 'plan');
  }

  /** Whether a pass went through; one that could not read the kernel is tried again after a while. */
  async #passed(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#pass(signal);
      return true;
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      if (!signal.aborted) {
        this.#log.error({ error: error.message }, 'kernel could not be read, trying again');
        this.#doubt = 'it could not be read';
        await this.#bell.wait(backoffMs(this.#failedPasses++, RETRY, Math.random), signal);
      }
      return false;
    }
  }

  /** Brings the dirty keys, or everything if the mirror is in doubt, to what is desired. */
  async #pass(signal: AbortSignal): Promise<void> {
    const first = this.#resyncAt === 0;
    const looked = this.#doubt !== undefined;
    if (looked) {
      await this.#refill(signal, first);
      await setImmediate();
    }
    const causes = this.#dirty;
    this.#dirty = new Map();
    const changes = this.#changesAt(this.#withoutAwaited(causes));
    if (changes.length === 0) return;
    if (looked) await setImmediate();
    const started = performance.now();
    const word = this.#mirror.expect(changes);
    const { failures } = await this.#kernel.apply(changes, signal);
    this.#mirror.isDue(word, performance.now());
    const applied = this.#accepted(changes, failures);
    if (looked) this.#noteFailures(failures);
    else this.#doubtAfter(failures, causes);
    if (first) {
      this.#findings.programmed(applied, failures.length, performance.now() - started);
    } else {
      this.#findings.putBack(applied.filter((change) => causes.get(keyOf(change.object)) === 'kernel'));
    }
  }

  #changesAt(keys: ReadonlySet<string>): readonly Change[] {
    const { changes, clashes } = diff({
      desired: this.#desired.objects,
      observed: this.#mirror.objects,
      owned: this.#owned,
      held: (key) => this.#held.has(key),
      keys,
    });
    this.#findings.looked(keys, changes, clashes);
    return changes;
  }

  /** What the kernel still has to tell of is looked at when it has. */
  #withoutAwaited(causes: ReadonlyMap<string, Cause>): Set<string> {
    const keys = new Set<string>();
    for (const [key, cause] of causes) {
      if (this.#mirror.isAwaited(key)) this.#postponed.set(key, cause);
      else keys.add(key);
    }
    return keys;
  }

  /** Dumps the kernel and marks all there is, and all there should be, as dirty. */
  async #refill(signal: AbortSignal, first: boolean): Promise<void> {
    const reason = this.#doubt;
    this.#doubt = undefined;
    this.#mirror.reset(await this.#kernel.dump(this.#owned, signal));
    this.#resyncAt = performance.now() + this.#resyncMs;
    if (!first && reason !== 'resync') this.#log.debug({ reason }, 'kernel dumped again');
    for (const [key, cause] of this.#postponed) this.#dirty.set(key, cause);
    this.#postponed.clear();
    for (const key of this.#held) this.#letGo(key);
    for (const [key, object] of this.#mirror.objects) {
      if (isOurs(object, this.#owned)) this.#held.add(key);
      if (!this.#dirty.has(key)) this.#dirty.set(key, 'kernel');
    }
    for (const key of this.#desired.objects.keys()) {
      // What never was there, nobody took away.
      if (!this.#dirty.has(key)) this.#dirty.set(key, this.#held.has(key) ? 'kernel' : 'plan');
    }
  }

  /** Those of the changes that the kernel did not refuse. */
  #accepted(changes: readonly Change[], failures: readonly ApplyFailure[]): readonly Change[] {
    const failed = new Set(failures.map(({ change }) => change));
    for (const { object } of failed) this.#mirror.refused(keyOf(object));
    const applied = failed.size === 0 ? changes : changes.filter((change) => !failed.has(change));
    this.#findings.succeeded(applied);
    for (const { kind, object } of applied) {
      if (object.kind === 'sysctl') this.#mirror.note(object);
      if (kind === 'remove') this.#letGo(keyOf(object));
    }
    return applied;
  }

  /** A refusal where we had not looked first may be the mirror's fault, which is behind: look, and try again. */
  #doubtAfter(failures: readonly ApplyFailure[], causes: ReadonlyMap<string, Cause>): void {
    if (failures[0] === undefined) return;
    this.#doubt = failures[0].error.message;
    for (const { change } of failures) {
      const key = keyOf(change.object);
      this.#dirty.set(key, causes.get(key) ?? 'kernel');
    }
  }

  /** A refusal on a kernel as just seen is the kernel's. */
  #noteFailures(failures: readonly ApplyFailure[]): void {
    this.#findings.failed(failures);
    if (failures.length === 0) this.#failedPasses = 0;
    else this.#retryAt = performance.now() + backoffMs(this.#failedPasses++, RETRY, Math.random);
  }
}
