import type { Ipv4 } from '../../net/ipv4.js';
import { align } from './message.js';

/** u16 length, u16 type */
const HEADER_SIZE = 4;
/** The two high bits of a type are flags: nested, and network byte order. */
const TYPE_MASK = 0x3fff;

const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/** Steps through the attributes that follow a message's struct: call `next`, then read the value. */
export class AttributeReader {
  readonly buffer: Buffer;
  type = 0;
  /** Where the value begins, and how many bytes it has. */
  at = 0;
  length = 0;
  #following: number;
  readonly #end: number;

  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer;
    this.#following = start;
    this.#end = end;
  }

  next(): boolean {
    const at = this.#following;
    if (at + HEADER_SIZE > this.#end) return false;
    const length = this.buffer.readUInt16LE(at);
    if (length < HEADER_SIZE || at + length > this.#end) return false;
    this.type = this.buffer.readUInt16LE(at + 2) & TYPE_MASK;
    this.at = at + HEADER_SIZE;
    this.length = length - HEADER_SIZE;
    this.#following = at + align(length);
    return true;
  }

  /** The attributes inside this one. */
  nested(): AttributeReader {
    return new AttributeReader(this.buffer, this.at, this.at + this.length);
  }

  u8(): number {
    return this.length >= 1 ? this.buffer.readUInt8(this.at) : 0;
  }

  u16BigEndian(): number {
    return this.length >= 2 ? this.buffer.readUInt16BE(this.at) : 0;
  }

  u32(): number {
    return this.length >= 4 ? this.buffer.readUInt32LE(this.at) : 0;
  }

  /** Undefined for an address of another family. */
  ipv4(): Ipv4 | undefined {
    return this.length === 4 ? this.buffer.readUInt32BE(this.at) : undefined;
  }

  /** Undefined for a link-layer address of another kind. */
  mac(): string | undefined {
    if (this.length !== 6) return undefined;
    const { buffer, at } = this;
    return `${HEX[buffer[at]!]}:${HEX[buffer[at + 1]!]}:${HEX[buffer[at + 2]!]}:${HEX[buffer[at + 3]!]}:${HEX[buffer[at + 4]!]}:${HEX[buffer[at + 5]!]}`;
  }

  /** Text that ends with a zero byte. */
  text(): string {
    return this.length > 0 ? this.buffer.toString('utf8', this.at, this.at + this.length - 1) : '';
  }
}
