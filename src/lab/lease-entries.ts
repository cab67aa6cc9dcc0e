import type { EtcdService } from './etcd-service.js';

/** A key below `subnets`, as etcd has it. */
export interface LeaseEntry {
  /** `10.77.5.0-24` */
  readonly key: string;
  readonly value: string;
  /** Decimal; `0` for a reservation. */
  readonly leaseId: string;
  readonly createRevision: number;
}

interface RangeAnswer {
  readonly kvs?: readonly {
    readonly key: string;
    readonly value?: string;
    readonly create_revision: number;
    readonly lease?: number;
  }[];
}

/** The keys below `prefix`, without it, sorted. */
export async function readLeaseEntries(
  etcd: Pick<EtcdService, 'ctl'>,
  prefix: string,
): Promise<LeaseEntry[]> {
  const text = await etcd.ctl('get', '--prefix', `${prefix}/`, '--write-out=json');
  // Lease ids are greater than the integers that a number can hold.
  const answer = JSON.parse(text.replace(/"lease":(\d+)/g, '"lease":"$1"')) as RangeAnswer;
  const plain = (base64 = '') => Buffer.from(base64, 'base64').toString();
  return (answer.kvs ?? []).map(({ key, value, lease, create_revision }) => ({
    key: plain(key).slice(prefix.length + 1),
    value: plain(value),
    leaseId: String(lease ?? 0),
    createRevision: create_revision,
  }));
}
