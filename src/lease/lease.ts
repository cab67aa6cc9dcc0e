import type { JsonValue } from '../json.js';
import type { Prefix } from '../net/prefix.js';

/** What a host says of itself in its lease: flannel's `LeaseAttrs` (pkg/lease/lease.go), and one field of ours. */
export interface LeaseAttributes {
  /** Where peers send packets for the subnet: dotted quad. */
  readonly publicIp: string;
  readonly publicIpV6: string | null;
  /** Empty for udp and alloc, which leave the field out. */
  readonly backendType: string;
  readonly backendData?: JsonValue;
  readonly backendV6Data?: JsonValue;
  /** The holder's identity, made at random once per host; undefined for a flanneld. In JSON: `LodenIdentity`. */
  readonly identity?: string;
  /** Names the holder's network stack from its boot to its end, for telling a machine from its clone: `LodenBoot`. */
  readonly boot?: string;
  /** Put there by a host that wants to know whether the holder is alive; says who that is: `LodenChallenge`. */
  readonly challenge?: string;
}

/** What this host says of itself whichever subnet it has. */
export interface HostMarks {
  readonly publicIp: string;
  readonly identity: string;
  readonly boot: string;
}

/** One host's hold on a subnet, as etcd has it. */
export interface Lease {
  readonly subnet: Prefix;
  /** The IPv6 half of a dual-stack key, `fd00:12:13::/56`, as the key spells it. */
  readonly subnetV6?: string;
  readonly attributes: LeaseAttributes;
  /** etcd's lease id in decimal; `0` when the key has none: a reservation, which never expires. */
  readonly leaseId: string;
  /** Of two overlapping leases, the one with the smaller create revision is the older, and stands. */
  readonly createRevision: number;
  readonly modRevision: number;
}

export function isReservation(lease: Lease): boolean {
  return lease.leaseId === '0';
}
