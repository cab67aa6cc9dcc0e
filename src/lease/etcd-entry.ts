/** One key of etcd under `<prefix>/subnets`, read as a lease. */
import type { IKeyValue } from 'etcd3';
import { decodeAttributes, parseLeaseKey, subnetsPath } from './codec.js';
import type { Lease } from './lease.js';
import type { LeaseKey, LeaseSnapshot, SkippedKey } from './store.js';

export type LeaseEntry =
  | { readonly kind: 'lease'; readonly key: LeaseKey; readonly lease: Lease }
  | { readonly kind: 'skipped'; readonly skipped: SkippedKey };

export class LeaseEntries {
  readonly #folder: string;

  constructor(etcdPrefix: string) {
    this.#folder = `${subnetsPath(etcdPrefix)}/`;
  }

  /** What stands after `<prefix>/subnets/`; of a key that is elsewhere, all of it. */
  keyOf(entry: IKeyValue): LeaseKey {
    const path = entry.key.toString();
    return path.startsWith(this.#folder) ? path.slice(this.#folder.length) : path;
  }

  read(entry: IKeyValue): LeaseEntry {
    const key = this.keyOf(entry);
    const subnets = parseLeaseKey(key);
    const revisions = {
      createRevision: Number(entry.create_revision),
      modRevision: Number(entry.mod_revision),
    };
    const skip = (reason: string): LeaseEntry => ({
      kind: 'skipped',
      skipped: { key, reason, ...revisions },
    });
    if (!subnets) return skip('the key names no subnet');
    const attributes = decodeAttributes(entry.value.toString());
    if ('reason' in attributes) return skip(attributes.reason);
    return {
      kind: 'lease',
      key,
      lease: {
        ...subnets,
        attributes: attributes.value,
        leaseId: entry.lease,
        ...revisions,
      },
    };
  }
}

export function snapshotOf(entries: readonly LeaseEntry[], revision: number): LeaseSnapshot {
  const leases = new Map<LeaseKey, Lease>();
  const skipped: SkippedKey[] = [];
  for (const entry of entries) {
    if (entry.kind === 'lease') leases.set(entry.key, entry.lease);
    else skipped.push(entry.skipped);
  }
  return { leases, revision, skipped };
}
