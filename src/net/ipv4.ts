import { isIPv4 } from 'node:net';

/**
 * An IPv4 address as an unsigned 32-bit number, most significant octet first: 10.0.0.1 is 0x0a000001.
 * Text is for people and for wire formats; arithmetic and comparison are done on this.
 */
export type Ipv4 = number;

const ZERO = '0'.charCodeAt(0);

/** Reads four decimal octets, `192.0.2.1`; undefined for anything else (short forms, octal, hex, names). */
export function parseIpv4(text: string): Ipv4 | undefined {
  if (!isIPv4(text)) return undefined;
  let address = 0;
  let octet = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit >= 0) {
      octet = octet * 10 + digit;
    } else {
      address = address * 256 + octet;
      octet = 0;
    }
  }
  return address * 256 + octet;
}

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Whether a host can have this address and be reached at it: not 0/8, loopback, multicast, reserved or broadcast. */
export function isUsableIpv4(address: Ipv4): boolean {
  const first = address >>> 24;
  return first > 0 && first < 224 && first !== 127;
}
