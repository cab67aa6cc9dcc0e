/**
 * A crowd of peers that exist in etcd only. Their subnets fill a pool from its beginning; their public IPs are on the
 * underlay, which a host has as a second network of its uplink, so that host-gw finds them on-link. Nobody answers there.
 */
import { routeMetric } from '../src/backend/route-metric.js';
import { ROUTE_PROTOCOL } from '../src/kernel/objects.js';
import { encodeAttributes, leaseKey, leasePath } from '../src/lease/codec.js';
import { formatIpv4, parseIpv4 } from '../src/net/ipv4.js';
import { formatPrefix, type Prefix } from '../src/net/prefix.js';

export type BackendType = 'vxlan' | 'host-gw';

/** 16,384 subnets of length 24. */
export const POOL = '100.64.0.0/10';
/** The host's own address on the underlay. */
export const UNDERLAY_ADDRESS = '172.20.0.1/16';

const FIRST_SUBNET = parseIpv4('100.64.1.0')!;
const FIRST_PUBLIC_IP = parseIpv4('172.20.1.0')!;

export interface Peer {
  readonly subnet: Prefix;
  readonly publicIp: string;
  readonly mac: string;
}

/** Peers number `first` to `first + count - 1`. */
export function crowd(count: number, first = 0): Peer[] {
  return Array.from({ length: count }, (_, index) => makeUp(first + index));
}

function makeUp(number: number): Peer {
  const octets = [number >> 16, (number >> 8) & 255, number & 255];
  return {
    subnet: { address: FIRST_SUBNET + number * 256, length: 24 },
    publicIp: formatIpv4(FIRST_PUBLIC_IP + number),
    mac: `02:be:ac:${octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':')}`,
  };
}

/** The peer's lease as it is in etcd: key and value. */
export function leaseOf(peer: Peer, backendType: BackendType, etcdPrefix: string): [string, string] {
  const value = encodeAttributes({
    publicIp: peer.publicIp,
    publicIpV6: null,
    backendType,
    ...(backendType === 'vxlan' && { backendData: { VNI: 1, VtepMAC: peer.mac } }),
  });
  return [leasePath(etcdPrefix, leaseKey(peer)), value];
}

/** What a peer is in the kernel, as lines for `ip -batch` and `bridge -batch`: the very objects that loden makes. */
export interface BatchLines {
  readonly ip: readonly string[];
  readonly bridge: readonly string[];
}

export function linesOf({ subnet, publicIp, mac }: Peer, backendType: BackendType): BatchLines {
  const network = formatPrefix(subnet);
  const mark = `proto ${ROUTE_PROTOCOL} metric ${routeMetric(subnet)}`;
  if (backendType === 'host-gw')
    return { ip: [`route add ${network} via ${publicIp} dev eth0 ${mark}`], bridge: [] };
  const gateway = formatIpv4(subnet.address);
  return {
    ip: [
      `neighbour add ${gateway} lladdr ${mac} dev flannel.1 nud permanent`,
      `route add ${network} via ${gateway} dev flannel.1 onlink ${mark}`,
    ],
    bridge: [`fdb add ${mac} dev flannel.1 dst ${publicIp} self permanent`],
  };
}

/** The VXLAN device of the host at `address`, whose own subnet is `subnet`. */
export function deviceLines(address: string, subnet: Prefix, mac: string): string[] {
  return [
    `link add flannel.1 address ${mac} mtu 1450 type vxlan id 1 dev eth0 local ${address} dstport 8472 nolearning`,
    `address add ${formatIpv4(subnet.address)}/32 dev flannel.1`,
    'link set flannel.1 up',
  ];
}
