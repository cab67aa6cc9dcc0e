/**
 * An IPv4 address as an unsigned 32-bit number, most significant octet first: 10.0.0.1 is 0x0a000001.
 * Text is for people and for wire formats; arithmetic and comparison are done on this.
 */
export type Ipv4 = number;

const DIGIT_ZERO = 48;
const DOT = 46;

/**
 * Reads four decimal octets, `192.0.2.1`; undefined for anything else (short forms, octal, hex, names). Digit by digit:
 * ten thousand leases are a hundred thousand addresses to read, and all that ipaddr.js makes of one is garbage.
 */
export function parseIpv4(text: string): Ipv4 | undefined {
  let address = 0;
  let octet: number | undefined;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code - DIGIT_ZERO;
    if (digit >= 0 && digit <= 9 && octet !== 0) {
      octet = (octet ?? 0) * 10 + digit;
      if (octet > 255) return undefined;
    } else if (code === DOT && octet !== undefined && dots < 3) {
      address = address * 256 + octet;
      octet = undefined;
      dots += 1;
    } else {
      return undefined;
    }
  }
  return octet === undefined || dots < 3 ? undefined : address * 256 + octet;
}

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Whether a host can have this address and be reached at it: not 0/8, loopback, multicast, reserved or broadcast. */
export function isUsableIpv4(address: Ipv4): boolean {
  const first = address >>> 24;
  return first > 0 && first < 224 && first !== 127;
}
