import { commonJs } from '../common-js.js';

const ipaddr = commonJs('ipaddr.js') as typeof import('ipaddr.js');

/** An IPv6 address as an unsigned 128-bit number, most significant octet first. */
export type Ipv6 = bigint;

/** Reads any form of RFC 4291, without a zone; undefined for anything else. */
export function parseIpv6(text: string): Ipv6 | undefined {
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  return ipaddr.IPv6.parse(text).parts.reduce((sum, part) => (sum << 16n) | BigInt(part), 0n);
}

/** The text of RFC 5952: lower case, the longest run of zeros as `::`. */
export function formatIpv6(address: Ipv6): string {
  const parts = Array.from({ length: 8 }, (_, i) => Number((address >> BigInt(16 * (7 - i))) & 0xffffn));
  return new ipaddr.IPv6(parts).toRFC5952String();
}
