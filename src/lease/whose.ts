/** Whose a lease is, as far as etcd tells, seen from this host. */
import type { HostMarks, LeaseAttributes } from './lease.js';

/**
 *     our identity, our boot              ours: the daemon was started again
 *     our identity, another boot          in doubt: this host was booted since, or one of the two is a clone
 *     our public IP, another identity     in doubt: this host was set up anew, or two have one address
 *     our public IP, no identity          ours: a flanneld's, or a reservation
 *     neither                             another's
 */
export function whose(lease: LeaseAttributes, host: HostMarks): 'ours' | 'in doubt' | "another's" {
  const samePublicIp = lease.publicIp === host.publicIp;
  if (lease.identity === host.identity) {
    // One without a boot is from before there was such a field.
    const known = lease.boot === undefined ? samePublicIp : lease.boot === host.boot;
    return known ? 'ours' : 'in doubt';
  }
  if (!samePublicIp) return "another's";
  return lease.identity === undefined ? 'ours' : 'in doubt';
}
