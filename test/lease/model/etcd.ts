/**
 * etcd as the model has it: a value, and functions from one value to the next. Time is counted in ticks. An etcd lease
 * that was not renewed for its TTL is *due*: it may be revoked from then on, at once or much later, as in etcd.
 */
import { leaseKey } from '../../../src/lease/codec.js';
import type { Lease, LeaseAttributes } from '../../../src/lease/lease.js';
import type { LeaseKey } from '../../../src/lease/store.js';
import type { Prefix } from '../../../src/net/prefix.js';

export interface Etcd {
  readonly revision: number;
  readonly leases: ReadonlyMap<LeaseKey, Lease>;
  /** Ticks that etcd's own leases have left, by their ids; those that are due have 0. */
  readonly grants: ReadonlyMap<string, number>;
  /** No id is given twice, not even by an etcd that was restored: they are drawn at random from 63 bits. */
  readonly lastId: number;
}

/** What a watch tells. `whole`: events were lost, and all that there is when it is looked at is told instead. */
export type Event =
  | { readonly kind: 'put'; readonly key: LeaseKey; readonly lease: Lease }
  | { readonly kind: 'delete'; readonly key: LeaseKey }
  | { readonly kind: 'whole' };

export const WHOLE: readonly Event[] = [{ kind: 'whole' }];

export interface Outcome {
  readonly etcd: Etcd;
  readonly events: readonly Event[];
}

export const EMPTY: Etcd = { revision: 1, leases: new Map(), grants: new Map(), lastId: 0 };

/** Undefined: the key is taken. */
export function claim(
  etcd: Etcd,
  subnet: Prefix,
  attributes: LeaseAttributes,
  ttl: number,
): (Outcome & { readonly lease: Lease }) | undefined {
  const key = leaseKey({ subnet });
  if (etcd.leases.has(key)) return undefined;
  const lastId = etcd.lastId + 1;
  const leaseId = String(lastId);
  const revision = etcd.revision + 1;
  const lease = { subnet, attributes, leaseId, createRevision: revision, modRevision: revision };
  const next = {
    revision,
    leases: new Map(etcd.leases).set(key, lease),
    grants: new Map(etcd.grants).set(leaseId, ttl),
    lastId,
  };
  return { etcd: next, events: [{ kind: 'put', key, lease }], lease };
}

/** Undefined: etcd has no such lease, or no longer. */
export function keepAlive(etcd: Etcd, leaseId: string, ttl: number): Etcd | undefined {
  return etcd.grants.has(leaseId) ? { ...etcd, grants: new Map(etcd.grants).set(leaseId, ttl) } : undefined;
}

/** Deletes the key if it is as `lease` has it. */
export function release(etcd: Etcd, lease: Lease): Outcome {
  const key = leaseKey(lease);
  if (etcd.leases.get(key)?.modRevision !== lease.modRevision) return { etcd, events: [] };
  return remove(etcd, [key]);
}

export function tick(etcd: Etcd): Etcd {
  return { ...etcd, grants: new Map([...etcd.grants].map(([id, left]) => [id, Math.max(left - 1, 0)])) };
}

export function dueGrants({ grants }: Etcd): string[] {
  return [...grants].filter(([, left]) => left === 0).map(([id]) => id);
}

export function revoke(etcd: Etcd, leaseId: string): Outcome {
  const keys = [...etcd.leases].filter(([, lease]) => lease.leaseId === leaseId).map(([key]) => key);
  return remove({ ...etcd, grants: new Map([...etcd.grants].filter(([id]) => id !== leaseId)) }, keys);
}

/** `etcdctl del --prefix`: the keys go, the etcd leases stay. */
export function wipe(etcd: Etcd): Outcome {
  return remove(etcd, [...etcd.leases.keys()]);
}

function remove(etcd: Etcd, keys: readonly LeaseKey[]): Outcome {
  if (keys.length === 0) return { etcd, events: [] };
  const leases = new Map([...etcd.leases].filter(([key]) => !keys.includes(key)));
  return {
    etcd: { ...etcd, revision: etcd.revision + 1, leases },
    events: keys.map((key) => ({ kind: 'delete', key })),
  };
}
