/**
 * What loden puts into the kernel, as plain data. Each object has a `kind` and a key; two objects with one key are
 * two states of the same thing. Addresses are text in the form `ip` prints, so that a plan can be read.
 */

/** The number that marks a route as ours (`ip route show proto 76`); unassigned in iproute2's rt_protos. */
export const ROUTE_PROTOCOL = 76;

export interface VxlanAttributes {
  readonly vni: number;
  /** UDP destination port; flannel's `Port: 0` is the kernel's own default, 8472. */
  readonly port: number;
  /** The outer source address. */
  readonly local: string;
  /** The uplink's name. */
  readonly device: string;
  readonly learning: boolean;
  readonly gbp: boolean;
}

export interface Link {
  readonly kind: 'link';
  readonly name: string;
  /** Lower-case, colons; empty for a device that has none, such as a tun. */
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** The kernel's number for it, by which one that was made anew is told from the one before; absent in a plan. */
  readonly index?: number;
  /** Absent when a device of another type has our name. */
  readonly vxlan?: VxlanAttributes;
  /** What `ip -d link` calls the type: `vxlan`, `tun`, `bridge`; empty for plain devices. */
  readonly type: string;
}

/** One IPv4 address on a link of ours: `10.5.34.0/32`. */
export interface Address {
  readonly kind: 'address';
  readonly link: string;
  readonly address: string;
}

/** A permanent neighbour on a link of ours. */
export interface Neighbour {
  readonly kind: 'neighbour';
  readonly link: string;
  readonly address: string;
  readonly mac: string;
  /** False for one that the kernel learned or that was set with a time limit: never what we want. */
  readonly permanent: boolean;
}

/** A permanent entry of a VXLAN device's own forwarding table: frames for `mac` go to the host `destination`. */
export interface FdbEntry {
  readonly kind: 'fdb';
  readonly link: string;
  readonly mac: string;
  readonly destination: string;
  readonly permanent: boolean;
}

/** An IPv4 route of the main table. */
export interface Route {
  readonly kind: 'route';
  /** `10.5.34.0/24` */
  readonly destination: string;
  /** Part of a route's identity in the kernel, with the destination. */
  readonly metric: number;
  readonly type: 'unicast' | 'blackhole' | 'other';
  readonly gateway?: string;
  /** The link's name; absent for a blackhole, and for a route with several next hops. */
  readonly link?: string;
  readonly onlink: boolean;
  /** 76 is ours; flanneld leaves 3 (boot). */
  readonly protocol: number;
}

/** A value under /proc/sys: `net.ipv4.ip_forward`. The slashes of a name with dots in it are kept as slashes. */
export interface Sysctl {
  readonly kind: 'sysctl';
  /** Path below /proc/sys: `net/ipv4/ip_forward`. */
  readonly path: string;
  readonly value: string;
}

export type KernelObject = Link | Address | Neighbour | FdbEntry | Route | Sysctl;

/** Identifies an object in the kernel, whatever its other attributes. */
export function keyOf(object: KernelObject): string {
  switch (object.kind) {
    case 'link':
      return `link ${object.name}`;
    case 'address':
      return `address ${object.link} ${object.address}`;
    case 'neighbour':
      return `neighbour ${object.link} ${object.address}`;
    case 'fdb':
      return `fdb ${object.link} ${object.mac}`;
    case 'route':
      return `route ${object.destination} ${object.metric}`;
    case 'sysctl':
      return `sysctl ${object.path}`;
  }
}
