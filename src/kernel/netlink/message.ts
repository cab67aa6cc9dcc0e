/**
 * Netlink's framing (linux/netlink.h): a buffer holds messages one after the other, each a header of 16 bytes, a
 * struct of the message's type and attributes, all aligned to 4 bytes. Numbers are in the machine's byte order, which
 * is little-endian on every machine that Node runs on under Linux with a build of ours (x64, arm64).
 *
 * The reader is a cursor: it makes no object per message, because a dump may hold a hundred thousand.
 */

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
/** In a request that makes something: fail if it is there; change it if it is there; make it if it is not. */
export const NLM_F_EXCL = 0x200;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_CREATE = 0x400;
/** In a notification of a route: others with the same destination and metric were there before. */
export const NLM_F_APPEND = 0x800;
/** In a dump: what it shows changed meanwhile, so that it is not consistent. */
export const NLM_F_DUMP_INTR = 0x10;

/** u32 length, u16 type, u16 flags, u32 sequence, u32 port */
export const HEADER_SIZE = 16;

export function align(length: number): number {
  return (length + 3) & ~3;
}

/**
 * The bytes that a message of this type has at least: a refusal's error and the header that it is about; the struct
 * of a link, address, route or neighbour, each of which has a group of four types (linux/rtnetlink.h).
 */
function structSize(type: number): number {
  return type === NLMSG_ERROR ? 4 + HEADER_SIZE : ([16, 8, 12, 12][(type >> 2) - 4] ?? 0);
}

/** What a request begins with. */
export interface RequestHeader {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
}

/** Steps through the messages of a buffer: call `next`, then read the fields. */
export class MessageReader {
  readonly buffer: Buffer;
  type = 0;
  flags = 0;
  sequence = 0;
  /** Where the message's body, after its header, begins and ends. */
  start = 0;
  end = 0;
  #following = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  /** False at the end, and where what follows is not a message. */
  next(): boolean {
    const at = this.#following;
    if (at + HEADER_SIZE > this.buffer.length) return false;
    const length = this.buffer.readUInt32LE(at);
    this.type = this.buffer.readUInt16LE(at + 4);
    if (length < HEADER_SIZE + structSize(this.type) || at + length > this.buffer.length) return false;
    this.flags = this.buffer.readUInt16LE(at + 6);
    this.sequence = this.buffer.readUInt32LE(at + 8);
    this.start = at + HEADER_SIZE;
    this.end = at + length;
    this.#following = at + align(length);
    return true;
  }
}
