/** Replaces all leases in etcd, fast: many puts a transaction, all on one etcd lease. */
import { Etcd3, Range } from 'etcd3';
import { answer } from './answer.js';

export interface PutLeasesInput {
  readonly endpoint: string;
  /** What the keys of leases begin with. All that is there goes away. */
  readonly folder: string;
  /** Keys and values. */
  readonly entries: readonly (readonly [string, string])[];
}

/** The most that etcd takes (--max-txn-ops). */
const PUTS_PER_TRANSACTION = 128;
const ONE_DAY_SECONDS = 86_400;

async function putLeases({ endpoint, folder, entries }: PutLeasesInput): Promise<number> {
  const etcd = new Etcd3({ hosts: endpoint });
  const { start, end } = Range.prefix(folder);
  await etcd.kv.deleteRange({ key: start, range_end: end });
  const { ID: lease } = await etcd.leaseClient.leaseGrant({ TTL: ONE_DAY_SECONDS });
  for (let at = 0; at < entries.length; at += PUTS_PER_TRANSACTION) {
    const puts = entries.slice(at, at + PUTS_PER_TRANSACTION).map(([key, value]) => ({
      request_put: { key: Buffer.from(key), value: Buffer.from(value), lease },
    }));
    await etcd.kv.txn({ compare: [], success: puts });
  }
  etcd.close();
  return entries.length;
}

answer(putLeases);
