import { formatIpv4, type Ipv4, parseIpv4 } from './ipv4.js';

/** An IPv4 network, `10.5.34.0/24`. Nothing masks the address but `masked`: flannel's keys may carry host bits. */
export interface Prefix {
  readonly address: Ipv4;
  /** 0 to 32 */
  readonly length: number;
}

/** By length. Ten thousand leases are compared with this and that a dozen times each, so nothing is computed twice. */
const SIZES = Array.from({ length: 33 }, (_, length) => 2 ** (32 - length));
const MASKS = SIZES.map((size) => 2 ** 32 - size);

/** How many addresses a prefix of this length holds. */
export function prefixSize(length: number): number {
  return SIZES[length]!;
}

/** Reads `A.B.C.D/LEN`, keeping host bits; undefined when it is not one. */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  if (!match) return undefined;
  const address = parseIpv4(match[1]!);
  const length = Number(match[2]);
  return address === undefined || length > 32 ? undefined : { address, length };
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatIpv4(prefix.address)}/${prefix.length}`;
}

/** The first address of the network. */
export function firstAddress(prefix: Prefix): Ipv4 {
  return (prefix.address & MASKS[prefix.length]!) >>> 0;
}

/** The last address of the network: its broadcast address, where it has one. */
export function lastAddress(prefix: Prefix): Ipv4 {
  return firstAddress(prefix) + prefixSize(prefix.length) - 1;
}

/** The same network with its host bits cleared. */
export function masked(prefix: Prefix): Prefix {
  return { address: firstAddress(prefix), length: prefix.length };
}

/** Whether `inner`, an address or a whole network, lies inside `outer`. */
export function contains(outer: Prefix, inner: Prefix | Ipv4): boolean {
  if (typeof inner === 'number') return (inner & MASKS[outer.length]!) >>> 0 === firstAddress(outer);
  return inner.length >= outer.length && contains(outer, inner.address);
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return firstAddress(a) <= lastAddress(b) && firstAddress(b) <= lastAddress(a);
}

export function equalPrefixes(a: Prefix, b: Prefix): boolean {
  return a.address === b.address && a.length === b.length;
}
