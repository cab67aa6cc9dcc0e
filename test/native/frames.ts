/** Frames for a wire's device, `virtio_net_hdr` and a packet; and random ones with what they must become on the way. */
import fc from 'fast-check';
import * as packets from './packets.js';
import { TCP, UDP } from './packets.js';

/** `virtio_net_hdr` (linux/virtio_net.h), when nothing is left to be done. */
const NOTHING_LEFT = Buffer.alloc(10);
const NEEDS_CHECKSUM = 1;
const GSO = { [TCP]: 1, [UDP]: 5 } as const;

export function frame(packet: Buffer): Buffer {
  return Buffer.concat([NOTHING_LEFT, packet]);
}

/** A frame whose packet has its checksum left to be completed and, given a size, is left to be cut up. */
export function unfinished(packet: Buffer, size?: number): Buffer {
  const ip = packets.headerLength(packet);
  const protocol = packet[9] as typeof TCP | typeof UDP;
  const header = Buffer.alloc(NOTHING_LEFT.length);
  header[0] = NEEDS_CHECKSUM;
  if (size !== undefined) {
    header[1] = GSO[protocol];
    header.writeUInt16LE(ip + (protocol === TCP ? (packet[ip + 12]! >> 4) * 4 : 8), 2);
    header.writeUInt16LE(size, 4);
  }
  header.writeUInt16LE(ip, 6);
  header.writeUInt16LE(packets.checksumOffset(protocol), 8);
  return Buffer.concat([header, packets.withPartialChecksum(packet)]);
}

export function packetOf(frame: Buffer): Buffer {
  return frame.subarray(NOTHING_LEFT.length);
}

/** One frame that is put in, and the packets it stands for. */
export interface Given {
  readonly frame: Buffer;
  readonly packets: readonly Buffer[];
}

function asItIs(packet: Buffer): Given {
  return { frame: frame(packet), packets: [packet] };
}

/** Bytes that are not alike, cheaply. */
export function filled(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export interface Ends {
  readonly source: string;
  readonly destination: string;
}

const port = fc.integer({ min: 1, max: 3 });
const ports = fc.tuple(port, port);
const ttl = fc.oneof(
  { weight: 9, arbitrary: fc.constant(64) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
);
const optionWords = (most: number) =>
  fc.uint8Array({ minLength: 0, maxLength: most }).map((bytes) => Buffer.alloc(bytes.length * 4, 1));
const seed = fc.nat();
const id = fc.integer({ min: 0, max: 0xffff });

/** What a sender, or the way, may do to one packet of a flow. */
const blemish = fc.oneof(
  { weight: 12, arbitrary: fc.constant('none' as const) },
  fc.constantFrom(
    'id',
    'tos',
    'flags',
    'window',
    'payload',
    'header',
    'checksum',
    'options',
    'absent',
    'twice',
  ),
);
type Blemish = typeof blemish extends fc.Arbitrary<infer B> ? B : never;

function blemished(packet: Buffer, kind: Blemish, random: number): Buffer[] {
  const ip = packets.headerLength(packet);
  const other = Buffer.from(packet);
  const mended = (change: (bytes: Buffer) => void) => {
    change(other);
    return [packets.withChecksum(packets.withHeaderChecksum(other))];
  };
  switch (kind) {
    case 'none':
      return [packet];
    case 'absent':
      return [];
    case 'twice':
      return [packet, packet];
    case 'id':
      return mended((bytes) => bytes.writeUInt16BE(random % 0x10000, 4));
    case 'tos':
      return mended((bytes) => bytes.writeUInt8(random % 256, 1));
    case 'flags':
      return packet[9] === TCP ? mended((bytes) => bytes.writeUInt8(random % 256, ip + 13)) : [packet];
    case 'window':
      return packet[9] === TCP ? mended((bytes) => bytes.writeUInt16BE(random % 0x10000, ip + 14)) : [packet];
    case 'options':
      return [withOptions(packet, 1 + (random % 10))];
    case 'header':
      other[10 + (random % 2)]! ^= 1 << (random % 8);
      return [other];
    case 'checksum':
      other[ip + packets.checksumOffset(packet[9]!)]! ^= 1 << (random % 8);
      return [other];
    case 'payload':
      other[other.length - 1]! ^= 1 << (random % 8);
      return [other];
  }
}

function withOptions(packet: Buffer, words: number): Buffer {
  const longer = Buffer.concat([packet.subarray(0, 20), Buffer.alloc(words * 4, 1), packet.subarray(20)]);
  longer[0] = 0x45 + words;
  longer.writeUInt16BE(longer.length, 2);
  return packets.withHeaderChecksum(longer);
}

const ipTraits = fc.record({
  tos: fc.constantFrom(0, 0, 0, 2, 3, 0xb8),
  id,
  fragment: fc.constantFrom(0, 0x4000),
  ttl,
});

const tcpTraits = fc.record({
  ports,
  sequence: fc.oneof(fc.constant(0xffff_f000), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  flags: fc.oneof({ weight: 4, arbitrary: fc.constant(packets.ACK) }, fc.integer({ min: 0, max: 255 })),
  options: optionWords(10),
});

const sizes = fc.record({
  size: fc.integer({ min: 1, max: 1372 }),
  count: fc.integer({ min: 1, max: 40 }),
  last: fc.integer({ min: 1, max: 1372 }),
});

/** Packets of one TCP flow, one after the other as a sender makes them, with some blemishes. */
function tcpTrain(ends: Ends): fc.Arbitrary<Given[]> {
  const blemishes = fc.array(fc.tuple(blemish, seed), { minLength: 40, maxLength: 40 });
  return fc.record({ ip: ipTraits, flow: tcpTraits, sizes, blemishes, seed }).map((train) => {
    const { size, count, last } = train.sizes;
    return Array.from({ length: count }, (_, i) => {
      const payload = filled(i === count - 1 ? Math.min(size, last) : size, train.seed + i);
      const sequence = (train.flow.sequence + i * size) % 2 ** 32;
      const segment = packets.tcp({ ...train.flow, flags: packets.ACK, sequence, payload });
      const ip = { ...train.ip, id: (train.ip.id + i) % 0x10000 };
      return packets.withChecksum(packets.ipv4({ ...ends, ...ip, protocol: TCP, payload: segment }));
    })
      .flatMap((packet, i) => blemished(packet, ...train.blemishes[i]!))
      .map(asItIs);
  });
}

/** Datagrams of one UDP flow; without a checksum now and then. */
function udpTrain(ends: Ends): fc.Arbitrary<Given[]> {
  const blemishes = fc.array(fc.tuple(blemish, seed), { minLength: 40, maxLength: 40 });
  const bare = fc.integer({ min: 0, max: 4 }).map((n) => n === 0);
  return fc.record({ ip: ipTraits, ports, sizes, blemishes, bare, seed }).map((train) => {
    const { size, count, last } = train.sizes;
    return Array.from({ length: count }, (_, i) => {
      const payload = filled(i === count - 1 ? Math.min(size, last) : size, train.seed + i);
      const datagram = packets.udp({ ports: train.ports, payload });
      const ip = { ...train.ip, id: (train.ip.id + i) % 0x10000 };
      const packet = packets.ipv4({ ...ends, ...ip, protocol: UDP, payload: datagram });
      return train.bare ? packet : packets.withChecksum(packet);
    })
      .flatMap((packet, i) => blemished(packet, ...train.blemishes[i]!))
      .map(asItIs);
  });
}

/** Any protocol, fragments, options, and sizes from 20 bytes to the MTU. */
function anything(ends: Ends): fc.Arbitrary<Given[]> {
  const one = fc.record({
    ip: ipTraits,
    protocol: fc.oneof(fc.constantFrom(packets.ICMP, TCP, UDP), fc.integer({ min: 0, max: 255 })),
    fragment: fc.oneof(
      fc.constantFrom(0, 0x4000, 0x2000, 0x2001, 0x1fff),
      fc.integer({ min: 0, max: 0xffff }),
    ),
    options: optionWords(10),
    length: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 1412 })),
    seed,
  });
  return one.map(({ ip, protocol, fragment, options, length, seed }) => {
    const payload = filled(length, seed);
    return [asItIs(packets.ipv4({ ...ends, ...ip, protocol, fragment, options, payload }))];
  });
}

/** What the kernel hands over whole: a super-packet of TCP or UDP, or a packet whose checksum it left open. */
function offloaded(ends: Ends): fc.Arbitrary<Given[]> {
  return fc.record({ ip: ipTraits, flow: tcpTraits, isTcp: fc.boolean(), sizes, seed }).map((given) => {
    const { size, count, last } = given.sizes;
    const payload = filled(size * (count - 1) + Math.min(size, last), given.seed);
    const protocol = given.isTcp ? TCP : UDP;
    const transport = given.isTcp
      ? packets.tcp({ ...given.flow, payload })
      : packets.udp({ ...given.flow, payload });
    const packet = packets.ipv4({ ...ends, ...given.ip, protocol, payload: transport });
    if (count === 1) return [{ frame: unfinished(packet), packets: [packets.withChecksum(packet)] }];
    return [{ frame: unfinished(packet, size), packets: packets.segmented(packet, size) }];
  });
}

/** All kinds at once, one flow after the other or in turns. */
export function traffic(ends: Ends): fc.Arbitrary<Given[]> {
  const kinds = [tcpTrain, udpTrain, anything, offloaded].map((kind) => kind(ends));
  const trains = fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: 6 });
  return fc
    .tuple(trains, fc.boolean())
    .map(([flows, inTurns]) => (inTurns ? alternated(flows) : flows.flat()));
}

function alternated<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat();
}
