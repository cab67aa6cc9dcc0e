/**
 * The pool of subnets that a network config describes: flannel's defaults and checks (pkg/subnet/config.go), once for
 * both families. Its messages open with flannel's own words, because those are what people search for.
 */
import type { Fields } from './fields.js';

export interface Pool {
  readonly address: bigint;
  readonly length: number;
  readonly subnetLength: number;
  /** First addresses of the first and the last subnet that may be leased. */
  readonly subnetMin: bigint;
  readonly subnetMax: bigint;
}

/** What differs between the families. */
export interface PoolFamily {
  readonly bits: number;
  /** Before the names of the fields: `IPv6` or nothing. */
  readonly prefix: string;
  /** What a pool's subnets have when the pool is large enough for it. */
  readonly usualSubnetLength: number;
  /** A subnet must have room for a bridge and a container: four addresses. */
  readonly longestSubnet: number;
  readonly example: string;
  parse(text: string): bigint | undefined;
  format(address: bigint): string;
}

/** The fields of one family as they were given; absent ones undefined, as are zero ones, which flannel takes for absent. */
export interface PoolFields {
  readonly network: { readonly address: bigint; readonly length: number } | undefined;
  readonly subnetLength: number | undefined;
  readonly subnetMin: bigint | undefined;
  readonly subnetMax: bigint | undefined;
}

/** Reads what is there; throws ConfigError for what is malformed. Checks nothing against anything else. */
export function readPoolFields(fields: Fields, family: PoolFamily): PoolFields {
  const address = (name: string) => {
    const text = fields.text(name);
    if (text === undefined || text === '') return undefined;
    const parsed = family.parse(text);
    if (parsed === undefined) fields.refuse(name, `an address such as "${family.example.split('/')[0]}"`);
    return parsed || undefined;
  };
  return {
    network: readNetwork(fields, family),
    subnetLength: fields.count(`${family.prefix}SubnetLen`) || undefined,
    subnetMin: address(`${family.prefix}SubnetMin`),
    subnetMax: address(`${family.prefix}SubnetMax`),
  };
}

function readNetwork(fields: Fields, family: PoolFamily): PoolFields['network'] {
  const name = `${family.prefix}Network`;
  const text = fields.text(name);
  if (text === undefined) return undefined;
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match ? family.parse(match[1]!) : undefined;
  const length = Number(match?.[2]);
  if (address === undefined || length > family.bits) return refuseNetwork(fields, family);
  const size = 1n << BigInt(family.bits - length);
  const masked = address - (address % size);
  return masked === 0n && length === 0 ? refuseNetwork(fields, family) : { address: masked, length };
}

/** Fills in defaults and checks. Throws ConfigError; a missing network is one. */
export function checkPool(fields: Fields, given: PoolFields, family: PoolFamily): Pool {
  const network = given.network ?? refuseNetwork(fields, family);
  const subnetLength = checkSubnetLength(fields, network.length, given.subnetLength, family);
  const size = 1n << BigInt(family.bits - subnetLength);
  const last = network.address + (1n << BigInt(family.bits - network.length)) - size;
  const pool = {
    ...network,
    subnetLength,
    // The pool's very first subnet is left out: its base is the pool's own network address.
    subnetMin: given.subnetMin ?? network.address + size,
    subnetMax: given.subnetMax ?? last,
  };
  for (const [end, value] of [
    ['SubnetMin', pool.subnetMin],
    ['SubnetMax', pool.subnetMax],
  ] as const) {
    checkEnd(fields, { name: family.prefix + end, value, first: network.address, last, size }, family);
  }
  if (pool.subnetMin > pool.subnetMax) {
    const name = given.subnetMax === undefined ? 'SubnetMin' : 'SubnetMax';
    const other = name === 'SubnetMin' ? 'at most SubnetMax' : 'at least SubnetMin';
    const bound = family.format(name === 'SubnetMin' ? pool.subnetMax : pool.subnetMin);
    fields.refuse(
      family.prefix + name,
      `${other}, ${bound}`,
      'no subnet lies between SubnetMin and SubnetMax',
    );
  }
  return pool;
}

function checkSubnetLength(
  fields: Fields,
  poolLength: number,
  asked: number | undefined,
  family: PoolFamily,
): number {
  const shortest = poolLength + 2;
  const smallestPool = family.longestSubnet - 2;
  if (asked === undefined) {
    if (poolLength > smallestPool) {
      const name = family.prefix ? 'IPv6Network' : 'network';
      const phrase = `${name} is too small. Minimum useful network prefix is /${smallestPool}`;
      fields.refuse(`${family.prefix}Network`, `one of /${smallestPool} or larger`, phrase);
    }
    return Math.max(shortest, family.usualSubnetLength);
  }
  const accepted =
    shortest > family.longestSubnet
      ? `none with so small a pool; give ${family.prefix}Network /${smallestPool} or larger`
      : `${shortest} to ${family.longestSubnet} in a pool of /${poolLength}`;
  const refuse = (phrase: string) => fields.refuse(`${family.prefix}SubnetLen`, accepted, phrase);
  if (asked > family.longestSubnet) refuse(`SubnetLen must be less than /${family.longestSubnet + 1}`);
  if (asked < shortest) refuse('network must be able to accommodate at least four subnets');
  return asked;
}

interface PoolEnd {
  readonly name: string;
  readonly value: bigint;
  readonly first: bigint;
  readonly last: bigint;
  readonly size: bigint;
}

function checkEnd(fields: Fields, end: PoolEnd, family: PoolFamily): void {
  const accepted = (from: bigint, to: bigint) => `${family.format(from)} to ${family.format(to)}`;
  if (end.value < end.first || end.value >= end.last + end.size) {
    const phrase = `${end.name} is not in the range of the ${family.prefix}Network`;
    fields.refuse(end.name, accepted(end.first, end.last), phrase);
  }
  const over = end.value % end.size;
  if (over !== 0n) {
    const phrase = `${end.name} is not on a SubnetLen boundary: ${family.format(end.value)}`;
    const below = end.value - over;
    const next = below + end.size > end.last ? '' : ` or ${family.format(below + end.size)}`;
    fields.refuse(end.name, `${family.format(below)}${next}`, phrase);
  }
}

function refuseNetwork(fields: Fields, family: PoolFamily): never {
  const name = `${family.prefix}Network`;
  const phrase = `please define a correct ${name} parameter in the flannel config`;
  return fields.refuse(name, `an address and a prefix length such as "${family.example}"`, phrase);
}
