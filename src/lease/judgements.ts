/**
 * All leases but our own, judged: each by itself, and those that pass against one another. Kept up lease by lease,
 * with the same result as when all are judged at once.
 */
import { type JudgeContext, type Judgement, judge } from './judge.js';
import type { Lease } from './lease.js';
import { Standing } from './standing.js';
import type { LeaseKey } from './store.js';

/** All at once. */
export function judgeAll(
  leases: Iterable<readonly [LeaseKey, Lease]>,
  context: JudgeContext,
): Pick<Judgements, 'of'> {
  const judgements = new Judgements(context);
  for (const [key, lease] of leases) judgements.put(key, lease);
  for (const _ of judgements.settle());
  return judgements;
}

export class Judgements {
  #context: JudgeContext;
  readonly #standing: Standing;
  readonly #leases = new Map<LeaseKey, Lease>();
  /** Of each lease by itself. */
  readonly #alone = new Map<LeaseKey, Judgement>();
  /** Of those in `#leases`, the ones whose key is gone. */
  readonly #yielded = new Set<LeaseKey>();
  /** Put since they were last settled. */
  readonly #fresh = new Set<LeaseKey>();

  constructor(context: JudgeContext) {
    this.#context = context;
    this.#standing = new Standing({
      markOf: (lease) => this.#context.markOf(lease),
      markFor: (subnet) => this.#context.markFor(subnet),
    });
  }

  /** Takes effect with `settle`, as all that follows. */
  put(key: LeaseKey, lease: Lease): void {
    this.#yielded.delete(key);
    this.#judge(key, lease);
  }

  /** The key is gone from etcd, and its host perhaps not: the lease stands where no other is in its way. */
  yield(key: LeaseKey): void {
    this.#yielded.add(key);
    this.#standing.yield(key);
  }

  delete(key: LeaseKey): void {
    this.#leases.delete(key);
    this.#alone.delete(key);
    this.#fresh.delete(key);
    this.#yielded.delete(key);
    this.#standing.delete(key);
  }

  /** Judges all anew, where this host is not what it was. */
  consider(context: JudgeContext): void {
    this.#context = context;
    for (const [key, lease] of this.#leases) this.#judge(key, lease);
  }

  lease(key: LeaseKey): Lease | undefined {
    return this.#leases.get(key);
  }

  /** Undefined for a lease that was not put. */
  of(key: LeaseKey): Judgement | undefined {
    const obstacle = this.#standing.obstacle(key);
    return obstacle ? { verdict: 'refused', ...obstacle } : this.#alone.get(key);
  }

  /** Yields the leases that were put, and those whose judgement is another, as they are found. */
  *settle(): Generator<LeaseKey> {
    for (const key of this.#standing.settle()) {
      this.#fresh.delete(key);
      yield key;
    }
    for (const key of this.#fresh) {
      this.#fresh.delete(key);
      yield key;
    }
  }

  #judge(key: LeaseKey, lease: Lease): void {
    const judgement = judge(lease, this.#context);
    this.#leases.set(key, lease);
    this.#alone.set(key, judgement);
    this.#fresh.add(key);
    if (judgement.verdict === 'ok') this.#standing.put(key, lease);
    else this.#standing.delete(key);
    if (this.#yielded.has(key)) this.#standing.yield(key);
  }
}
