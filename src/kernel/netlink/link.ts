/** RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK: linux/if_link.h and `struct ifinfomsg` of linux/rtnetlink.h. */
import type { Ipv4 } from '../../net/ipv4.js';
import { AttributeReader } from './attributes.js';
import type { RequestHeader } from './message.js';
import type { MessageWriter } from './writer.js';

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;

const IFF_UP = 1;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINKINFO = 18;
const IFLA_EXT_MASK = 29;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VXLAN_ID = 1;
const IFLA_VXLAN_LINK = 3;
const IFLA_VXLAN_LOCAL = 4;
const IFLA_VXLAN_LEARNING = 7;
const IFLA_VXLAN_PORT = 15;
const IFLA_VXLAN_GBP = 23;
/** RTEXT_FILTER_SKIP_STATS: counters are two thirds of a link's message. */
const SKIP_STATISTICS = 8;
/** u8 family, u8, u16 type, i32 index, u32 flags, u32 change */
const STRUCT_SIZE = 16;

export interface VxlanData {
  readonly id?: number;
  readonly local?: Ipv4;
  /** The index of the device that carries the packets. */
  readonly device?: number;
  readonly port?: number;
  readonly learning?: boolean;
  readonly gbp?: boolean;
}

/** A link as the kernel tells of it; in a request, only what is there is set. */
export interface LinkMessage {
  /** 0 in a request that goes by the name. */
  readonly index: number;
  /** AF_BRIDGE in messages about a bridge's port, which say nothing about the link itself. */
  readonly family: number;
  readonly name?: string;
  readonly up?: boolean;
  readonly mac?: string;
  readonly mtu?: number;
  /** `vxlan`, `bridge` …; absent for plain devices. */
  readonly kind?: string;
  readonly vxlan?: VxlanData;
}

export function writeLink(writer: MessageWriter, header: RequestHeader, link: LinkMessage): void {
  writer.begin(header);
  writer.u8(link.family);
  writer.u8(0);
  writer.u16(0);
  writer.u32(link.index);
  writer.u32(link.up ? IFF_UP : 0);
  writer.u32(link.up === undefined ? 0 : IFF_UP);
  if (link.name !== undefined) writer.attributeText(IFLA_IFNAME, link.name);
  if (link.mac !== undefined) writer.attributeMac(IFLA_ADDRESS, link.mac);
  if (link.mtu !== undefined) writer.attributeU32(IFLA_MTU, link.mtu);
  const { kind, vxlan } = link;
  if (kind !== undefined) {
    writer.nest(IFLA_LINKINFO, () => {
      writer.attributeText(IFLA_INFO_KIND, kind);
      if (vxlan) writer.nest(IFLA_INFO_DATA, () => writeVxlan(writer, vxlan));
    });
  }
  writer.finish();
}

function writeVxlan(writer: MessageWriter, vxlan: VxlanData): void {
  if (vxlan.id !== undefined) writer.attributeU32(IFLA_VXLAN_ID, vxlan.id);
  if (vxlan.device !== undefined) writer.attributeU32(IFLA_VXLAN_LINK, vxlan.device);
  if (vxlan.local !== undefined) writer.attributeIpv4(IFLA_VXLAN_LOCAL, vxlan.local);
  if (vxlan.learning !== undefined) writer.attributeU8(IFLA_VXLAN_LEARNING, vxlan.learning ? 1 : 0);
  if (vxlan.port !== undefined) writer.attributeU16BigEndian(IFLA_VXLAN_PORT, vxlan.port);
  if (vxlan.gbp) writer.attributeFlag(IFLA_VXLAN_GBP);
}

/** Asks for all links, or for one by index or name, without counters. */
export function writeGetLink(
  writer: MessageWriter,
  header: RequestHeader,
  which: { index?: number; name?: string } = {},
): void {
  writer.begin(header);
  writer.u32(0);
  writer.u32(which.index ?? 0);
  writer.u32(0);
  writer.u32(0);
  if (which.name !== undefined) writer.attributeText(IFLA_IFNAME, which.name);
  writer.attributeU32(IFLA_EXT_MASK, SKIP_STATISTICS);
  writer.finish();
}

export function readLink(buffer: Buffer, start: number, end: number): LinkMessage {
  const family = buffer.readUInt8(start);
  const index = buffer.readInt32LE(start + 4);
  const up = (buffer.readUInt32LE(start + 8) & IFF_UP) !== 0;
  let name: string | undefined;
  let mac: string | undefined;
  let mtu: number | undefined;
  let info: LinkInfo = {};
  const attribute = new AttributeReader(buffer, start + STRUCT_SIZE, end);
  while (attribute.next()) {
    if (attribute.type === IFLA_IFNAME) name = attribute.text();
    else if (attribute.type === IFLA_ADDRESS) mac = attribute.mac();
    else if (attribute.type === IFLA_MTU) mtu = attribute.u32();
    else if (attribute.type === IFLA_LINKINFO) info = readLinkInfo(attribute.nested());
  }
  return {
    index,
    family,
    up,
    ...(name === undefined ? {} : { name }),
    ...(mac === undefined ? {} : { mac }),
    ...(mtu === undefined ? {} : { mtu }),
    ...info,
  };
}

type LinkInfo = Pick<LinkMessage, 'kind' | 'vxlan'>;

function readLinkInfo(attribute: AttributeReader): LinkInfo {
  let kind: string | undefined;
  let vxlan: VxlanData | undefined;
  while (attribute.next()) {
    if (attribute.type === IFLA_INFO_KIND) kind = attribute.text();
    else if (attribute.type === IFLA_INFO_DATA && kind === 'vxlan') vxlan = readVxlan(attribute.nested());
  }
  return { ...(kind === undefined ? {} : { kind }), ...(vxlan === undefined ? {} : { vxlan }) };
}

function readVxlan(attribute: AttributeReader): VxlanData {
  const data: { -readonly [K in keyof VxlanData]: VxlanData[K] } = { gbp: false };
  while (attribute.next()) {
    if (attribute.type === IFLA_VXLAN_ID) data.id = attribute.u32();
    else if (attribute.type === IFLA_VXLAN_LINK) data.device = attribute.u32();
    else if (attribute.type === IFLA_VXLAN_LOCAL) data.local = attribute.ipv4() ?? 0;
    else if (attribute.type === IFLA_VXLAN_LEARNING) data.learning = attribute.u8() !== 0;
    else if (attribute.type === IFLA_VXLAN_PORT) data.port = attribute.u16BigEndian();
    // Older kernels: there, without a value, when it is on. Linux 6.18: always there, as a number.
    else if (attribute.type === IFLA_VXLAN_GBP) data.gbp = attribute.length === 0 || attribute.u8() !== 0;
  }
  return data;
}
