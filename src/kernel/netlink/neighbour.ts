/**
 * RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH: linux/neighbour.h. One message serves two tables: with AF_INET the
 * neighbours (address → MAC), with AF_BRIDGE a device's forwarding table (MAC → for vxlan the remote host).
 */
import type { Ipv4 } from '../../net/ipv4.js';
import { AttributeReader } from './attributes.js';
import type { RequestHeader } from './message.js';
import type { MessageWriter } from './writer.js';

export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_GETNEIGH = 30;

export const AF_INET = 2;
export const AF_BRIDGE = 7;

export const NUD_INCOMPLETE = 0x01;
export const NUD_FAILED = 0x20;
export const NUD_PERMANENT = 0x80;
/** The device's own table, not that of a bridge which it is a port of. */
export const NTF_SELF = 0x02;

const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDA_IFINDEX = 8;
/** u8 family, u8, u16, i32 index, u16 state, u8 flags, u8 type */
const STRUCT_SIZE = 12;

export interface NeighbourMessage {
  /** AF_INET or AF_BRIDGE. */
  readonly family: number;
  /** The link's index. */
  readonly link: number;
  readonly state: number;
  readonly flags: number;
  /** Of the neighbour; in a forwarding table, of the host that the frame goes to. */
  readonly address: Ipv4 | undefined;
  readonly mac: string | undefined;
}

export function writeNeighbour(
  writer: MessageWriter,
  header: RequestHeader,
  neighbour: NeighbourMessage,
): void {
  writer.begin(header);
  writer.u32(neighbour.family);
  writer.u32(neighbour.link);
  writer.u16(neighbour.state);
  writer.u8(neighbour.flags);
  writer.u8(0);
  if (neighbour.address !== undefined) writer.attributeIpv4(NDA_DST, neighbour.address);
  if (neighbour.mac !== undefined) writer.attributeMac(NDA_LLADDR, neighbour.mac);
  writer.finish();
}

/** Asks for one link's table. The two families want the link in different places. */
export function writeGetNeighbours(
  writer: MessageWriter,
  header: RequestHeader,
  which: Pick<NeighbourMessage, 'family' | 'link'>,
): void {
  writer.begin(header);
  writer.u32(which.family);
  writer.u32(which.family === AF_BRIDGE ? which.link : 0);
  writer.u32(0);
  if (which.family !== AF_BRIDGE) writer.attributeU32(NDA_IFINDEX, which.link);
  writer.finish();
}

export function readNeighbour(buffer: Buffer, start: number, end: number): NeighbourMessage {
  let address: Ipv4 | undefined;
  let mac: string | undefined;
  const attribute = new AttributeReader(buffer, start + STRUCT_SIZE, end);
  while (attribute.next()) {
    if (attribute.type === NDA_DST) address = attribute.ipv4();
    else if (attribute.type === NDA_LLADDR) mac = attribute.mac();
  }
  return {
    family: buffer.readUInt8(start),
    link: buffer.readInt32LE(start + 4),
    state: buffer.readUInt16LE(start + 8),
    flags: buffer.readUInt8(start + 10),
    address,
    mac,
  };
}
