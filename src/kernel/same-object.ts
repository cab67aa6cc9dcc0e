import type { KernelObject, Link, Route } from './objects.js';

/** Whether two states of the same thing (the same `keyOf`) are one and the same state. */
export function sameObject(a: KernelObject, b: KernelObject): boolean {
  switch (a.kind) {
    case 'link':
      return b.kind === 'link' && sameLink(a, b);
    case 'address':
      return b.kind === 'address'; // the key says it all
    case 'neighbour':
      return b.kind === 'neighbour' && a.mac === b.mac && a.permanent === b.permanent;
    case 'fdb':
      return b.kind === 'fdb' && a.destination === b.destination && a.permanent === b.permanent;
    case 'route':
      return b.kind === 'route' && sameWay(a, b) && a.onlink === b.onlink && a.protocol === b.protocol;
    case 'sysctl':
      return b.kind === 'sysctl' && a.value === b.value;
  }
}

/** Whether two routes send packets the same way, whatever their metrics and whoever made them. */
export function sameWay(a: Route, b: Route): boolean {
  return a.destination === b.destination && a.type === b.type && a.gateway === b.gateway && a.link === b.link;
}

/** Whether the kernel can turn `before` into `link` while it stays in place: not its type, VNI, port or GBP. */
export function canBecome(before: Link, link: Link): boolean {
  const [a, b] = [before.vxlan, link.vxlan];
  if (before.type !== link.type || (a === undefined) !== (b === undefined)) return false;
  return a?.vni === b?.vni && a?.port === b?.port && a?.gbp === b?.gbp;
}

function sameLink(a: Link, b: Link): boolean {
  return (
    canBecome(a, b) &&
    a.mac === b.mac &&
    a.mtu === b.mtu &&
    a.up === b.up &&
    a.vxlan?.local === b.vxlan?.local &&
    a.vxlan?.device === b.vxlan?.device &&
    a.vxlan?.learning === b.vxlan?.learning
  );
}
