import { ETCD_PREFIX } from '../../src/lab/etcd-service.js';
import type { Lab } from '../../src/lab/lab.js';
import { type LeaseEntry, readLeaseEntries } from '../../src/lab/lease-entries.js';

export const SUBNETS = `${ETCD_PREFIX}/subnets`;

/** Sorted by key. */
export function leaseEntries(lab: Lab, prefix = SUBNETS): Promise<LeaseEntry[]> {
  return readLeaseEntries(lab.etcd, prefix);
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
