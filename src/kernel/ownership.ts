import { contains, parsePrefix } from '../net/prefix.js';
import type { Ownership } from './kernel.js';
import { type KernelObject, type Link, ROUTE_PROTOCOL, type Route } from './objects.js';

/**
 * Whether an object is ours to change and to remove. Ownership is written in the kernel, not in a file of ours: links
 * have exact names, and what is on them or leaves by them is ours whoever put it there (a flanneld that ran before);
 * other routes are ours by protocol number inside our pools, so that two daemons with two pools can share a host.
 * A sysctl is never ours: we set it, but it was there before.
 */
export function isOurs(object: KernelObject, owned: Ownership): boolean {
  switch (object.kind) {
    case 'link':
      return owned.links.includes(object.name) || isFormer(object, owned);
    case 'address':
    case 'neighbour':
    case 'fdb':
      return owned.links.includes(object.link);
    case 'route':
      return isOurRoute(object, owned);
    case 'sysctl':
      return false;
  }
}

function isFormer(link: Link, { former = [] }: Ownership): boolean {
  return former.some(
    ({ name, mac, index }) => name === link.name && mac === link.mac && index === link.index,
  );
}

function isOurRoute(route: Route, owned: Ownership): boolean {
  if (route.link !== undefined && owned.links.includes(route.link)) return true;
  if (route.protocol !== ROUTE_PROTOCOL) return false;
  const destination = parsePrefix(route.destination);
  return destination !== undefined && owned.pools.some((pool) => contains(pool, destination));
}
