/** From changes to netlink requests: what `ip` and `bridge` would send. */
import { type Ipv4, parseIpv4 } from '../../net/ipv4.js';
import { type Prefix, parsePrefix } from '../../net/prefix.js';
import type { Change } from '../kernel.js';
import type { Address, FdbEntry, Link, Neighbour, Route, VxlanAttributes } from '../objects.js';
import { RTM_DELADDR, RTM_NEWADDR, writeAddress } from './address.js';
import type { WriteMessage } from './connection.js';
import { type LinkMessage, RTM_DELLINK, RTM_NEWLINK, type VxlanData, writeLink } from './link.js';
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST } from './message.js';
import {
  AF_BRIDGE,
  AF_INET,
  NTF_SELF,
  NUD_PERMANENT,
  RTM_DELNEIGH,
  RTM_NEWNEIGH,
  writeNeighbour,
} from './neighbour.js';
import {
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RTM_DELROUTE,
  RTM_NEWROUTE,
  RTN_BLACKHOLE,
  RTN_UNICAST,
  RTN_UNSPEC,
  RTNH_F_ONLINK,
  writeRoute,
} from './route.js';

/** A link's index, by its name. Asked only for names that `linksNeeded` gave. */
export type IndexOf = (name: string) => number;

const ADD = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
const SET = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;

/** Names of the links whose index a request for this change needs. */
export function linksNeeded(change: Change): readonly string[] {
  const { object } = change;
  switch (object.kind) {
    case 'link': // goes by its name itself
      return change.kind !== 'remove' && object.vxlan ? [object.vxlan.device] : [];
    case 'sysctl':
      return [];
    default:
      return object.link === undefined ? [] : [object.link];
  }
}

/** One message, or two where the kernel refuses to do a change in one. */
export function toRequests(change: Change, indexOf: IndexOf): readonly WriteMessage[] {
  const { object } = change;
  switch (object.kind) {
    case 'link':
      return linkRequests(change, object, indexOf);
    case 'address':
      return [addressRequest(change, object, indexOf)];
    case 'neighbour':
    case 'fdb':
      return [neighbourRequest(change, object, indexOf)];
    case 'route':
      return [routeRequest(change, object, indexOf)];
    case 'sysctl':
      throw new Error('a sysctl is a file, not a netlink request');
  }
}

function linkRequests(change: Change, link: Link, indexOf: IndexOf): readonly WriteMessage[] {
  const request = (type: number, flags: number, settings: Partial<LinkMessage>): WriteMessage => {
    const message = { index: 0, family: 0, name: link.name, ...settings };
    return (writer, sequence) => writeLink(writer, { type, flags, sequence }, message);
  };
  if (change.kind === 'remove') return [request(RTM_DELLINK, NLM_F_REQUEST, {})];
  if (change.kind === 'add' || change.before.kind !== 'link') {
    if (link.type === 'tun') return [request(RTM_NEWLINK, NLM_F_REQUEST, { mtu: link.mtu, up: link.up })];
    const settings = { mac: link.mac, mtu: link.mtu, up: link.up, ...typeSettings(link, indexOf) };
    return [request(RTM_NEWLINK, ADD, settings)];
  }
  const { before } = change;
  const vxlan = link.vxlan && before.vxlan && alteredVxlan(link.vxlan, before.vxlan, indexOf);
  return [
    // The vxlan driver refuses its own settings and an MTU in one message ("Cannot change mtu").
    ...(vxlan && Object.keys(vxlan).length > 0
      ? [request(RTM_NEWLINK, NLM_F_REQUEST, { kind: link.type, vxlan })]
      : []),
    request(RTM_NEWLINK, NLM_F_REQUEST, alteredSettings(link, before)),
  ];
}

function typeSettings(link: Link, indexOf: IndexOf): Pick<LinkMessage, 'kind' | 'vxlan'> {
  return {
    ...(link.type === '' ? {} : { kind: link.type }),
    ...(link.vxlan ? { vxlan: toVxlanData(link.vxlan, indexOf) } : {}),
  };
}

function toVxlanData(vxlan: VxlanAttributes, indexOf: IndexOf): VxlanData {
  return {
    id: vxlan.vni,
    local: ipv4(vxlan.local),
    device: indexOf(vxlan.device),
    port: vxlan.port,
    learning: vxlan.learning,
    gbp: vxlan.gbp,
  };
}

function alteredSettings(link: Link, before: Link): Partial<LinkMessage> {
  return {
    ...(link.mac === before.mac ? {} : { mac: link.mac }),
    ...(link.mtu === before.mtu ? {} : { mtu: link.mtu }),
    up: link.up,
  };
}

/** Only what differs: the kernel refuses some of the rest even where it is as it was. */
function alteredVxlan(vxlan: VxlanAttributes, before: VxlanAttributes, indexOf: IndexOf): VxlanData {
  const data = toVxlanData(vxlan, indexOf);
  return {
    ...(vxlan.vni === before.vni ? {} : { id: data.id! }),
    ...(vxlan.local === before.local ? {} : { local: data.local! }),
    ...(vxlan.device === before.device ? {} : { device: data.device! }),
    ...(vxlan.port === before.port ? {} : { port: data.port! }),
    ...(vxlan.learning === before.learning ? {} : { learning: data.learning! }),
    ...(vxlan.gbp === before.gbp ? {} : { gbp: data.gbp! }),
  };
}

function addressRequest(change: Change, address: Address, indexOf: IndexOf): WriteMessage {
  const { address: local, length } = prefix(address.address);
  const message = { link: indexOf(address.link), local, length };
  const [type, flags] = verb(change, RTM_NEWADDR, RTM_DELADDR, SET);
  return (writer, sequence) => writeAddress(writer, { type, flags, sequence }, message);
}

function neighbourRequest(change: Change, entry: Neighbour | FdbEntry, indexOf: IndexOf): WriteMessage {
  const [type, flags] = verb(change, RTM_NEWNEIGH, RTM_DELNEIGH, SET);
  const message = {
    family: entry.kind === 'fdb' ? AF_BRIDGE : AF_INET,
    link: indexOf(entry.link),
    state: NUD_PERMANENT,
    flags: entry.kind === 'fdb' ? NTF_SELF : 0,
    address: ipv4(entry.kind === 'fdb' ? entry.destination : entry.address),
    mac: entry.mac,
  };
  return (writer, sequence) => writeNeighbour(writer, { type, flags, sequence }, message);
}

function routeRequest(change: Change, route: Route, indexOf: IndexOf): WriteMessage {
  const { address: destination, length } = prefix(route.destination);
  const [type, flags] = verb(change, RTM_NEWROUTE, RTM_DELROUTE, ADD);
  const message = {
    destination,
    length,
    tos: 0,
    table: RT_TABLE_MAIN,
    protocol: route.protocol,
    scope: change.kind === 'remove' ? RT_SCOPE_NOWHERE : scopeOf(route),
    type: routeType(route),
    flags: route.onlink && change.kind !== 'remove' ? RTNH_F_ONLINK : 0,
    metric: route.metric,
    gateway: route.gateway === undefined ? undefined : ipv4(route.gateway),
    link: route.link === undefined ? undefined : indexOf(route.link),
    source: undefined,
    complex: false,
  };
  return (writer, sequence) => writeRoute(writer, { type, flags, sequence }, message);
}

/** As iproute2 chooses it: where the next hop is, on the link itself or beyond a gateway. */
function scopeOf(route: Route): number {
  return route.type === 'unicast' && route.gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

/** Of another type than we make, only removal is asked for, and "unspecified" then matches whichever it is. */
function routeType(route: Route): number {
  return route.type === 'unicast' ? RTN_UNICAST : route.type === 'blackhole' ? RTN_BLACKHOLE : RTN_UNSPEC;
}

function verb(change: Change, make: number, remove: number, add: number): readonly [number, number] {
  if (change.kind === 'remove') return [remove, NLM_F_REQUEST];
  return [make, change.kind === 'add' ? add : SET];
}

function ipv4(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) throw new TypeError(`not an IPv4 address: ${text}`);
  return address;
}

function prefix(text: string): Prefix {
  const found = parsePrefix(text);
  if (!found) throw new TypeError(`not an IPv4 prefix: ${text}`);
  return found;
}
