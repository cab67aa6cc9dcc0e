/** RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE: linux/rtnetlink.h. IPv4 only. */
import type { Ipv4 } from '../../net/ipv4.js';
import { AttributeReader } from './attributes.js';
import type { RequestHeader } from './message.js';
import type { MessageWriter } from './writer.js';

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;

export const RT_TABLE_MAIN = 254;
export const RT_SCOPE_UNIVERSE = 0;
export const RT_SCOPE_LINK = 253;
export const RT_SCOPE_NOWHERE = 255;
export const RTN_UNSPEC = 0;
export const RTN_UNICAST = 1;
export const RTN_LOCAL = 2;
export const RTN_BLACKHOLE = 6;
export const RTNH_F_ONLINK = 0x4;
export const RTM_F_CLONED = 0x200;

const AF_INET = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_MULTIPATH = 9;
const RTA_TABLE = 15;
const RTA_VIA = 18;
/** u8 family, destination length, source length, tos, table, protocol, scope, type; u32 flags */
const STRUCT_SIZE = 12;

export interface RouteMessage {
  readonly destination: Ipv4;
  readonly length: number;
  readonly tos: number;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  readonly type: number;
  readonly flags: number;
  readonly metric: number;
  readonly gateway: Ipv4 | undefined;
  /** The link's index; undefined for a blackhole, and with several next hops. */
  readonly link: number | undefined;
  /** RTA_PREFSRC: the source address of what this host itself sends. */
  readonly source: Ipv4 | undefined;
  /** Several next hops, or a gateway of another family: more than the fields above can say. */
  readonly complex: boolean;
}

/** Writes all but `source` and `complex`, which no request of ours has. */
export function writeRoute(writer: MessageWriter, header: RequestHeader, route: RouteMessage): void {
  writer.begin(header);
  writer.u8(AF_INET);
  writer.u8(route.length);
  writer.u8(0);
  writer.u8(route.tos);
  writer.u8(route.table);
  writer.u8(route.protocol);
  writer.u8(route.scope);
  writer.u8(route.type);
  writer.u32(route.flags);
  writer.attributeIpv4(RTA_DST, route.destination);
  if (route.metric !== 0) writer.attributeU32(RTA_PRIORITY, route.metric);
  if (route.gateway !== undefined) writer.attributeIpv4(RTA_GATEWAY, route.gateway);
  if (route.link !== undefined) writer.attributeU32(RTA_OIF, route.link);
  writer.finish();
}

/** Asks for all routes of the main table. */
export function writeGetRoutes(writer: MessageWriter, header: RequestHeader): void {
  writeRequest(writer, header, 0);
  writer.attributeU32(RTA_TABLE, RT_TABLE_MAIN);
  writer.finish();
}

/** Asks which way a packet would go. */
export function writeLookUpRoute(writer: MessageWriter, header: RequestHeader, destination: Ipv4): void {
  writeRequest(writer, header, 32);
  writer.attributeIpv4(RTA_DST, destination);
  writer.finish();
}

function writeRequest(writer: MessageWriter, header: RequestHeader, destinationLength: number): void {
  writer.begin(header);
  writer.u8(AF_INET);
  writer.u8(destinationLength);
  writer.u16(0);
  writer.u32(0);
  writer.u32(0);
}

/** What `readRoute` tells as the protocol, alone: some who listen need no more, of ten thousand routes. */
export function routeProtocol(buffer: Buffer, start: number): number {
  return buffer.readUInt8(start + 5);
}

/** Undefined for another family. */
export function readRoute(buffer: Buffer, start: number, end: number): RouteMessage | undefined {
  if (buffer.readUInt8(start) !== AF_INET) return undefined;
  let destination = 0;
  let table = buffer.readUInt8(start + 4);
  let metric = 0;
  let gateway: Ipv4 | undefined;
  let link: number | undefined;
  let source: Ipv4 | undefined;
  let complex = false;
  const attribute = new AttributeReader(buffer, start + STRUCT_SIZE, end);
  while (attribute.next()) {
    if (attribute.type === RTA_DST) destination = attribute.ipv4() ?? 0;
    else if (attribute.type === RTA_OIF) link = attribute.u32();
    else if (attribute.type === RTA_GATEWAY) gateway = attribute.ipv4();
    else if (attribute.type === RTA_PRIORITY) metric = attribute.u32();
    else if (attribute.type === RTA_TABLE) table = attribute.u32();
    else if (attribute.type === RTA_PREFSRC) source = attribute.ipv4();
    else if (attribute.type === RTA_MULTIPATH || attribute.type === RTA_VIA) complex = true;
  }
  return {
    destination,
    length: buffer.readUInt8(start + 1),
    tos: buffer.readUInt8(start + 3),
    table,
    protocol: routeProtocol(buffer, start),
    scope: buffer.readUInt8(start + 6),
    type: buffer.readUInt8(start + 7),
    flags: buffer.readUInt32LE(start + 8),
    metric,
    gateway,
    link,
    source,
    complex,
  };
}
