import { ROUTE_PROTOCOL, type Route } from '../kernel/objects.js';
import type { Lease } from '../lease/lease.js';
import { parseIpv4 } from '../net/ipv4.js';
import { contains, formatPrefix } from '../net/prefix.js';
import type { Uplink } from './backend.js';
import { routeMetric } from './route-metric.js';

/** Whether the peer's public IP is in one of the uplink's own networks, so that no router stands between. */
export function isOnLink(uplink: Uplink, peer: Lease): boolean {
  const address = parseIpv4(peer.attributes.publicIp);
  return address !== undefined && uplink.networks.some((network) => contains(network, address));
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
