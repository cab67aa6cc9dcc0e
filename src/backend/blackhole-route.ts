import { ROUTE_PROTOCOL, type Route } from '../kernel/objects.js';
import { formatPrefix, type Prefix } from '../net/prefix.js';

/** The last of all: the bridge's own route to the subnet, with the metric 0, comes first as long as it is there. */
const LAST_METRIC = 0xffffffff;

/**
 * Drops what is for our subnet while no bridge has it. Without, such a packet would take the default route, and could
 * come back by a router that knows our lease.
 */
export function blackholeRoute(subnet: Prefix): Route {
  return {
    kind: 'route',
    destination: formatPrefix(subnet),
    metric: LAST_METRIC,
    type: 'blackhole',
    onlink: false,
    protocol: ROUTE_PROTOCOL,
  };
}
