import {
  type Address,
  type KernelObject,
  type Link,
  ROUTE_PROTOCOL,
  type Route,
  type Sysctl,
} from '../../kernel/objects.js';
import type { Lease } from '../../lease/lease.js';
import { formatIpv4 } from '../../net/ipv4.js';
import { formatPrefix } from '../../net/prefix.js';
import type { NetworkView, Uplink } from '../backend.js';
import { IP_FORWARD } from '../forwarding.js';
import type { PacketPathWish, PacketPeer } from '../packet-path.js';
import { LOWEST_METRIC } from '../route-metric.js';
import type { UdpOptions } from './options.js';

type View = NetworkView<UdpOptions>;

/** The name of the first device that flannel makes. */
export const DEVICE = 'flannel0';

/** 20 IP + 8 UDP */
export const UDP_OVERHEAD = 28;

/** The longest IP packet; the loopback's own MTU is one byte more. */
const LONGEST_PACKET = 65_535;

/** Only IPv4 is carried, so the device is not to ask for routers or announce itself by IPv6. */
export const NO_IPV6: Sysctl = { kind: 'sysctl', path: `net/ipv6/conf/${DEVICE}/disable_ipv6`, value: '1' };

/**
 * What nobody is there for is answered by the packet path with ICMP from the device's own address, as flannel does it.
 * The kernel takes packets from an address of its own for forged ones, unless it is told of them.
 */
export const ACCEPT_LOCAL: Sysctl = {
  kind: 'sysctl',
  path: `net/ipv4/conf/${DEVICE}/accept_local`,
  value: '1',
};

export function udpMtu(options: UdpOptions, uplink: Uplink): number {
  return Math.min(options.mtu ?? uplink.mtu, uplink.mtu, LONGEST_PACKET) - UDP_OVERHEAD;
}

/** All that the kernel has to know: where a peer is, the packet path finds in its own table. */
export function planSelf({ network, options, uplink, subnet }: View): readonly KernelObject[] {
  const device: Link = {
    kind: 'link',
    name: DEVICE,
    type: 'tun',
    mac: '',
    mtu: udpMtu(options, uplink),
    up: true,
  };
  const address: Address = { kind: 'address', link: DEVICE, address: `${formatIpv4(subnet.address)}/32` };
  const route: Route = {
    kind: 'route',
    destination: formatPrefix(network.network),
    metric: LOWEST_METRIC,
    type: 'unicast',
    link: DEVICE,
    onlink: false,
    protocol: ROUTE_PROTOCOL,
  };
  return [device, NO_IPV6, ACCEPT_LOCAL, IP_FORWARD, address, route];
}

export function packetPath({ options, uplink, subnet }: View): PacketPathWish {
  const { address } = uplink;
  return { device: DEVICE, address, port: options.port, tunnelAddress: formatIpv4(subnet.address) };
}

export function packetPeer(_view: View, { subnet, attributes }: Lease): PacketPeer {
  return { subnet, publicIp: attributes.publicIp };
}
