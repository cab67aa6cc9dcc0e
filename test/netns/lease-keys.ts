import { ETCD_PREFIX, type Lab } from '../../src/lab/lab.js';

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

export const SUBNETS = `${ETCD_PREFIX}/subnets`;

/** Sorted by key. */
export async function leaseEntries(lab: Lab, prefix = SUBNETS): Promise<LeaseEntry[]> {
  const text = await lab.etcd.ctl('get', '--prefix', `${prefix}/`, '--write-out=json');
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

/** The lease that names this public IP. */
export async function leaseOf(lab: Lab, publicIp: string): Promise<LeaseEntry | undefined> {
  const entries = await leaseEntries(lab);
  return entries.find(({ value }) => JSON.parse(value).PublicIP === publicIp);
}

/** As a flanneld or a person would write it, without an etcd lease. */
export async function putLease(lab: Lab, key: string, value: object | string): Promise<void> {
  await lab.etcd.ctl('put', `${SUBNETS}/${key}`, typeof value === 'string' ? value : JSON.stringify(value));
}

export async function deleteLease(lab: Lab, key: string): Promise<void> {
  await lab.etcd.ctl('del', `${SUBNETS}/${key}`);
}

/** What flannel's vxlan publishes. */
export function vxlanLease(publicIp: string, mac: string): object {
  return {
    PublicIP: publicIp,
    PublicIPv6: null,
    BackendType: 'vxlan',
    BackendData: { VNI: 1, VtepMAC: mac },
  };
}
