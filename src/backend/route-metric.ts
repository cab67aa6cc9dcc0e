import type { Prefix } from '../net/prefix.js';

/**
 * Above what people and other programs use, so that a route set by hand for the same destination wins, and shows; and
 * flanneld's, when it takes the host back.
 */
export const LOWEST_METRIC = 1000;

/** Hash buckets that the routes are spread over. */
const SPREAD = 1024;

/**
 * The metric of the route to a peer's subnet. The kernel finds a route's next-hop record in a hash table that leaves
 * the gateway out (net/ipv4/fib_semantics.c, fib_info_hashfn), so thousands of routes over one device share a bucket
 * and inserting them is quadratic. The metric is part of that hash: neighbouring subnets get different ones.
 * 10,000 routes: 36 ms instead of 1,180 ms.
 */
export function routeMetric(subnet: Prefix): number {
  return LOWEST_METRIC + ((subnet.address >>> (32 - subnet.length)) & (SPREAD - 1));
}
