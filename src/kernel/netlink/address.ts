/** RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR: linux/if_addr.h. IPv4 only. */
import type { Ipv4 } from '../../net/ipv4.js';
import { AttributeReader } from './attributes.js';
import type { RequestHeader } from './message.js';
import type { MessageWriter } from './writer.js';

export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;

/** A second address of a network; for IPv6 the same bit says "temporary". */
export const IFA_F_SECONDARY = 0x01;
export const IFA_F_DEPRECATED = 0x20;
export const IFA_F_PERMANENT = 0x80;

const AF_INET = 2;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
/** u8 family, u8 prefix length, u8 flags, u8 scope, u32 index */
const STRUCT_SIZE = 8;

export interface AddressMessage {
  /** The link's index. */
  readonly link: number;
  readonly length: number;
  readonly local: Ipv4;
  /** The other end of a point-to-point link; elsewhere the same as `local`. */
  readonly peer: Ipv4;
  readonly flags: number;
}

export function writeAddress(
  writer: MessageWriter,
  header: RequestHeader,
  address: Pick<AddressMessage, 'link' | 'length' | 'local'>,
): void {
  writer.begin(header);
  writer.u8(AF_INET);
  writer.u8(address.length);
  writer.u16(0);
  writer.u32(address.link);
  writer.attributeIpv4(IFA_LOCAL, address.local);
  writer.attributeIpv4(IFA_ADDRESS, address.local);
  writer.finish();
}

/** Asks for the addresses of one link, or of all when `link` is 0. */
export function writeGetAddresses(writer: MessageWriter, header: RequestHeader, link: number): void {
  writer.begin(header);
  writer.u32(AF_INET);
  writer.u32(link);
  writer.finish();
}

/** Undefined for another family. */
export function readAddress(buffer: Buffer, start: number, end: number): AddressMessage | undefined {
  if (buffer.readUInt8(start) !== AF_INET) return undefined;
  let local: Ipv4 | undefined;
  let peer: Ipv4 | undefined;
  let flags = buffer.readUInt8(start + 2);
  const attribute = new AttributeReader(buffer, start + STRUCT_SIZE, end);
  while (attribute.next()) {
    if (attribute.type === IFA_LOCAL) local = attribute.ipv4();
    else if (attribute.type === IFA_ADDRESS) peer = attribute.ipv4();
    else if (attribute.type === IFA_FLAGS) flags = attribute.u32();
  }
  const own = local ?? peer;
  if (own === undefined) return undefined;
  return {
    link: buffer.readUInt32LE(start + 4),
    length: buffer.readUInt8(start + 1),
    local: own,
    peer: peer ?? own,
    flags,
  };
}
