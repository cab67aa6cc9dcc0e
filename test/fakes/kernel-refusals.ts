/** Why Linux would refuse a change, as an errno; and what is on-link. */
import type { Change } from '../../src/kernel/kernel.js';
import { keyOf, type Link, type Route } from '../../src/kernel/objects.js';
import { canBecome } from '../../src/kernel/same-object.js';
import { parseIpv4 } from '../../src/net/ipv4.js';
import { contains, type Prefix } from '../../src/net/prefix.js';
import type { FakeKernel } from './kernel.js';

/** Undefined when the kernel would do it. */
export function refusal(change: Change, kernel: FakeKernel): string | undefined {
  const { object } = change;
  if (change.kind === 'remove' || object.kind === 'sysctl') return undefined;
  if (object.kind === 'link') return linkRefusal(change, object, kernel);
  if (object.kind === 'route') return routeRefusal(change, object, kernel);
  const link = kernel.objects.get(`link ${object.link}`);
  if (!exists(object.link, kernel)) return 'ENODEV';
  if (object.kind === 'fdb' && link?.kind === 'link' && link.type !== 'vxlan') return 'EOPNOTSUPP';
  return undefined;
}

/** The networks that hosts are reached in without a gateway. */
export function onLinkNetworks(kernel: FakeKernel): { link: string; network: Prefix; source: string }[] {
  return kernel.uplinks.flatMap(({ name, up, addresses }) =>
    (up ? addresses : []).map(({ address, network }) => ({ link: name, network, source: address })),
  );
}

function linkRefusal(change: Change, link: Link, kernel: FakeKernel): string | undefined {
  const found = kernel.objects.get(keyOf(link));
  if (link.vxlan && !exists(link.vxlan.device, kernel)) return 'ENODEV';
  if (change.kind === 'replace') {
    if (found?.kind !== 'link') return 'ENODEV';
    return canBecome(found, link) ? undefined : 'EOPNOTSUPP';
  }
  if (found || exists(link.name, kernel)) return 'EEXIST';
  for (const other of kernel.objects.values()) {
    if (other.kind !== 'link' || !other.vxlan || !link.vxlan) continue;
    if (other.vxlan.vni === link.vxlan.vni && other.vxlan.port === link.vxlan.port) return 'EEXIST';
  }
  return undefined;
}

function routeRefusal(change: Change, route: Route, kernel: FakeKernel): string | undefined {
  if (route.link !== undefined && !exists(route.link, kernel)) return 'ENODEV';
  const link = route.link === undefined ? undefined : kernel.objects.get(`link ${route.link}`);
  const uplink = kernel.uplinks.find(({ name }) => name === route.link);
  // The networks of a link that is down are gone, and the gateways in them are looked for first.
  if (route.gateway !== undefined && !route.onlink && !isOnLink(route, kernel)) return 'ENETUNREACH';
  if ((link?.kind === 'link' && !link.up) || uplink?.up === false) return 'ENETDOWN';
  return change.kind === 'add' && kernel.objects.has(keyOf(route)) ? 'EEXIST' : undefined;
}

function isOnLink(route: Route, kernel: FakeKernel): boolean {
  const gateway = parseIpv4(route.gateway!)!;
  return onLinkNetworks(kernel).some(
    ({ link, network }) => (route.link ?? link) === link && contains(network, gateway),
  );
}

function exists(name: string, kernel: FakeKernel): boolean {
  return kernel.objects.has(`link ${name}`) || kernel.uplinks.some((uplink) => uplink.name === name);
}
