/** IPv4 packets as bytes, made and read by the rules of RFC 791, 768 and 9293; what the path does is held against them. */

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;

export const FIN = 0x01;
export const PSH = 0x08;
export const ACK = 0x10;
export const CWR = 0x80;

export interface Ip {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly payload: Buffer;
  readonly tos?: number;
  readonly id?: number;
  /** The field of flags and fragment offset. */
  readonly fragment?: number;
  readonly ttl?: number;
  /** A multiple of four bytes. */
  readonly options?: Buffer;
}

export interface Tcp {
  readonly ports: readonly [number, number];
  readonly sequence: number;
  readonly payload: Buffer;
  readonly acknowledged?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly urgent?: number;
  /** A multiple of four bytes. */
  readonly options?: Buffer;
}

export interface Udp {
  readonly ports: readonly [number, number];
  readonly payload: Buffer;
}

/** The checksum of RFC 1071 over bytes whose checksum field is zero. */
export function checksum(...parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i + 1 < part.length; i += 2) sum += part.readUInt16BE(i);
    if (part.length % 2 === 1) sum += part.at(-1)! * 0x100;
  }
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return 0xffff - sum;
}

export function headerLength(packet: Buffer): number {
  return (packet[0]! & 15) * 4;
}

export function ipv4(ip: Ip): Buffer {
  const options = ip.options ?? Buffer.alloc(0);
  const header = Buffer.alloc(20 + options.length);
  header[0] = 0x40 | (header.length / 4);
  header[1] = ip.tos ?? 0;
  header.writeUInt16BE(header.length + ip.payload.length, 2);
  header.writeUInt16BE(ip.id ?? 0, 4);
  header.writeUInt16BE(ip.fragment ?? 0, 6);
  header[8] = ip.ttl ?? 64;
  header[9] = ip.protocol;
  header.set(ip.source.split('.').map(Number), 12);
  header.set(ip.destination.split('.').map(Number), 16);
  header.set(options, 20);
  return withHeaderChecksum(Buffer.concat([header, ip.payload]));
}

/** A segment whose checksum is still zero, as it depends on addresses. */
export function tcp(segment: Tcp): Buffer {
  const options = segment.options ?? Buffer.alloc(0);
  const header = Buffer.alloc(20 + options.length);
  header.writeUInt16BE(segment.ports[0], 0);
  header.writeUInt16BE(segment.ports[1], 2);
  header.writeUInt32BE(segment.sequence, 4);
  header.writeUInt32BE(segment.acknowledged ?? 1, 8);
  header[12] = (header.length / 4) << 4;
  header[13] = segment.flags ?? ACK;
  header.writeUInt16BE(segment.window ?? 500, 14);
  header.writeUInt16BE(segment.urgent ?? 0, 18);
  header.set(options, 20);
  return Buffer.concat([header, segment.payload]);
}

export function udp(datagram: Udp): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(datagram.ports[0], 0);
  header.writeUInt16BE(datagram.ports[1], 2);
  header.writeUInt16BE((8 + datagram.payload.length) % 0x10000, 4);
  return Buffer.concat([header, datagram.payload]);
}

/** The same packet with the IP header's checksum right. */
export function withHeaderChecksum(packet: Buffer): Buffer {
  const result = Buffer.from(packet);
  result.writeUInt16BE(0, 10);
  result.writeUInt16BE(checksum(result.subarray(0, headerLength(result))), 10);
  return result;
}

/** Where TCP's or UDP's checksum is, from the start of their header. */
export function checksumOffset(protocol: number): number {
  return protocol === UDP ? 6 : 16;
}

function pseudoHeader(packet: Buffer): Buffer {
  const pseudo = Buffer.alloc(12);
  packet.copy(pseudo, 0, 12, 20);
  pseudo[9] = packet[9]!;
  pseudo.writeUInt16BE(packet.length - headerLength(packet), 10);
  return pseudo;
}

/** The same packet with TCP's or UDP's checksum right. */
export function withChecksum(packet: Buffer): Buffer {
  const result = Buffer.from(packet);
  const field = headerLength(packet) + checksumOffset(packet[9]!);
  result.writeUInt16BE(0, field);
  const sum = checksum(pseudoHeader(result), result.subarray(headerLength(result)));
  result.writeUInt16BE(sum === 0 && packet[9] === UDP ? 0xffff : sum, field);
  return result;
}

/** The same packet with only the pseudo header's sum in the field, as who leaves the rest to a device writes it. */
export function withPartialChecksum(packet: Buffer): Buffer {
  const result = Buffer.from(packet);
  const field = headerLength(packet) + checksumOffset(packet[9]!);
  result.writeUInt16BE(0xffff - checksum(pseudoHeader(result)), field);
  return result;
}

/** What the wire must bring out for a packet that passed `hops` paths; undefined when its TTL is used up. */
export function aged(packet: Buffer, hops = 2): Buffer | undefined {
  if (packet[8]! <= hops) return undefined;
  const isRight = checksum(packet.subarray(0, headerLength(packet))) === 0;
  const result = Buffer.from(packet);
  result[8]! -= hops;
  if (isRight) return withHeaderChecksum(result);
  // A wrong one stays wrong by as much: the sum of the header's words became less by a hop's 0x100.
  const sum = packet.readUInt16BE(10) + hops * 0x100;
  result.writeUInt16BE(sum >= 0xffff ? sum - 0xffff : sum, 10);
  return result;
}

/** What belongs on the wire for a super-packet: packets with `size` bytes of payload each. */
export function segmented(packet: Buffer, size: number): Buffer[] {
  const ip = headerLength(packet);
  const isTcp = packet[9] === TCP;
  const headers = ip + (isTcp ? (packet[ip + 12]! >> 4) * 4 : 8);
  const segments: Buffer[] = [];
  for (let at = headers; at < packet.length; at += size) {
    const segment = Buffer.concat([packet.subarray(0, headers), packet.subarray(at, at + size)]);
    segment.writeUInt16BE(segment.length, 2);
    segment.writeUInt16BE((packet.readUInt16BE(4) + segments.length) % 0x10000, 4);
    if (isTcp) {
      segment.writeUInt32BE((packet.readUInt32BE(ip + 4) + at - headers) % 2 ** 32, ip + 4);
      if (at > headers) segment[ip + 13]! &= ~CWR;
      if (at + size < packet.length) segment[ip + 13]! &= ~(FIN | PSH);
    } else segment.writeUInt16BE(segment.length - ip, ip + 4);
    segments.push(withChecksum(withHeaderChecksum(segment)));
  }
  return segments;
}
