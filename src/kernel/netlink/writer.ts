import type { Ipv4 } from '../../net/ipv4.js';
import { align, HEADER_SIZE, type RequestHeader } from './message.js';

/** Writes messages one after the other into a buffer that grows: `begin`, the struct, attributes, `finish`. */
export class MessageWriter {
  #buffer: Buffer;
  #length = 0;
  #message = 0;

  constructor(size = 4096) {
    this.#buffer = Buffer.alloc(size);
  }

  /** All that was written. Valid until the next write. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  begin(header: RequestHeader): void {
    this.#message = this.#reserve(HEADER_SIZE);
    this.#buffer.writeUInt16LE(header.type, this.#message + 4);
    this.#buffer.writeUInt16LE(header.flags, this.#message + 6);
    this.#buffer.writeUInt32LE(header.sequence, this.#message + 8);
  }

  finish(): void {
    this.#buffer.writeUInt32LE(this.#length - this.#message, this.#message);
  }

  /** Sets more flags on the message that was written last. */
  addFlags(flags: number): void {
    const at = this.#message + 6;
    this.#buffer.writeUInt16LE(this.#buffer.readUInt16LE(at) | flags, at);
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#buffer.writeUInt8(value, at);
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer.writeUInt16LE(value, at);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#buffer.writeUInt32LE(value, at);
  }

  attributeU8(type: number, value: number): void {
    const at = this.#attribute(type, 1);
    this.#buffer.writeUInt8(value, at);
  }

  attributeU16BigEndian(type: number, value: number): void {
    const at = this.#attribute(type, 2);
    this.#buffer.writeUInt16BE(value, at);
  }

  attributeU32(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#buffer.writeUInt32LE(value, at);
  }

  attributeIpv4(type: number, value: Ipv4): void {
    const at = this.#attribute(type, 4);
    this.#buffer.writeUInt32BE(value, at);
  }

  /** Six hex octets joined by colons. */
  attributeMac(type: number, value: string): void {
    const at = this.#attribute(type, 6);
    for (let i = 0; i < 6; i++) {
      this.#buffer.writeUInt8(Number.parseInt(value.slice(3 * i, 3 * i + 2), 16), at + i);
    }
  }

  attributeText(type: number, value: string): void {
    const bytes = Buffer.from(`${value}\0`);
    const at = this.#attribute(type, bytes.length);
    bytes.copy(this.#buffer, at);
  }

  /** An attribute that says all by being there. */
  attributeFlag(type: number): void {
    this.#attribute(type, 0);
  }

  nest(type: number, write: () => void): void {
    const start = this.#attribute(type, 0) - 4;
    write();
    this.#buffer.writeUInt16LE(this.#length - start, start);
  }

  /** Writes an attribute's header and returns where its value goes. */
  #attribute(type: number, length: number): number {
    const at = this.#reserve(4 + align(length));
    this.#buffer.writeUInt16LE(4 + length, at);
    this.#buffer.writeUInt16LE(type, at + 2);
    return at + 4;
  }

  /** Zeroed bytes, appended. May replace the buffer: take the buffer after it, not before. */
  #reserve(size: number): number {
    const at = this.#length;
    if (at + size > this.#buffer.length) {
      const grown = Buffer.alloc(2 * this.#buffer.length + size);
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer = grown;
    }
    this.#length = at + size;
    return at;
  }
}
