import { ROUTE_PROTOCOL, type Route } from '../kernel/objects.js';
import type { Lease } from '../lease/lease.js';
import { type Ipv4, parseIpv4 } from '../net/ipv4.js';
import { contains, firstAddress, formatPrefix, lastAddress, type Prefix } from '../net/prefix.js';
import type { Uplink } from './backend.js';
import { routeMetric } from './route-metric.js';

/**
 * Whether the peer's public IP is a host's address in one of the uplink's own networks, so that no router stands
 * between.
 */
export function isOnLink({ networks }: Uplink, peer: Lease): boolean {
  const address = parseIpv4(peer.attributes.publicIp);
  if (address === undefined || networks.some((network) => isReserved(address, network))) return false;
  return networks.some((network) => contains(network, address));
}

/**
 * A network's first and last address stand for the network and for all of its hosts, except where there are no more
 * than two (RFC 3021). Linux refuses the last one as a gateway, and before 5.14 the first one too.
 */
function isReserved(address: Ipv4, network: Prefix): boolean {
  return network.length < 31 && (address === firstAddress(network) || address === lastAddress(network));
}

/** The route that hands a peer's packets to the peer itself, without encapsulation. */
export function directRoute(uplink: Uplink, peer: Lease): Route {
  return {
    kind: 'route',
    destination: formatPrefix(peer.subnet),
    metric: routeMetric(peer.subnet),
    type: 'unicast',
    gateway: peer.attributes.publicIp,
    link: uplink.name,
    onlink: false,
    protocol: ROUTE_PROTOCOL,
  };
}
