/** From netlink's messages, which know links by index and addresses as numbers, to objects. */
import { formatIpv4 } from '../../net/ipv4.js';
import { type Address, type FdbEntry, keyOf, type Link, type Neighbour, type Route } from '../objects.js';
import type { AddressMessage } from './address.js';
import type { LinkMessage, VxlanData } from './link.js';
import { AF_BRIDGE, type NeighbourMessage, NUD_PERMANENT } from './neighbour.js';
import { type RouteMessage, RTN_BLACKHOLE, RTN_UNICAST, RTNH_F_ONLINK } from './route.js';

/** A link's name; undefined when there is none with that index. */
export type NameOf = (index: number) => string | undefined;

export function toLink(message: LinkMessage, nameOf: NameOf): Link {
  return {
    kind: 'link',
    name: message.name ?? '',
    mac: message.mac ?? '',
    mtu: message.mtu ?? 0,
    up: message.up ?? false,
    index: message.index,
    type: message.kind ?? '',
    ...(message.vxlan ? { vxlan: toVxlan(message.vxlan, nameOf) } : {}),
  };
}

function toVxlan(data: VxlanData, nameOf: NameOf): NonNullable<Link['vxlan']> {
  return {
    vni: data.id ?? 0,
    port: data.port ?? 0,
    local: formatIpv4(data.local ?? 0),
    device: (data.device && nameOf(data.device)) || '',
    learning: data.learning ?? false,
    gbp: data.gbp ?? false,
  };
}

export function toAddress(message: AddressMessage, link: string): Address {
  return { kind: 'address', link, address: `${formatIpv4(message.local)}/${message.length}` };
}

/** Undefined for an entry without a MAC, or without an IPv4 address: none of ours is like that. */
export function toNeighbour(message: NeighbourMessage, link: string): Neighbour | FdbEntry | undefined {
  const { mac } = message;
  if (mac === undefined || message.address === undefined) return undefined;
  const address = formatIpv4(message.address);
  const permanent = (message.state & NUD_PERMANENT) !== 0;
  return message.family === AF_BRIDGE
    ? { kind: 'fdb', link, mac, destination: address, permanent }
    : { kind: 'neighbour', link, address, mac, permanent };
}

/** `keyOf` the entry, which a message about its end may not tell whole: such a neighbour has no MAC any more. */
export function neighbourKey(message: NeighbourMessage, link: string): string {
  const { family, address, mac = '' } = message;
  return keyOf(
    family === AF_BRIDGE
      ? { kind: 'fdb', link, mac, destination: '', permanent: false }
      : { kind: 'neighbour', link, address: formatIpv4(address ?? 0), mac, permanent: false },
  );
}

export function toRoute(message: RouteMessage, nameOf: NameOf): Route {
  const { gateway, link, type } = message;
  const name = link === undefined ? undefined : nameOf(link);
  return {
    kind: 'route',
    destination: `${formatIpv4(message.destination)}/${message.length}`,
    metric: message.metric,
    type: routeType(type, message.complex),
    ...(gateway === undefined ? {} : { gateway: formatIpv4(gateway) }),
    ...(name === undefined ? {} : { link: name }),
    onlink: (message.flags & RTNH_F_ONLINK) !== 0,
    protocol: message.protocol,
  };
}

function routeType(type: number, complex: boolean): Route['type'] {
  if (type === RTN_BLACKHOLE) return 'blackhole';
  return type === RTN_UNICAST && !complex ? 'unicast' : 'other';
}
