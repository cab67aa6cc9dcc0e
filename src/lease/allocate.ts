/**
 * Picks a free subnet, each free one of the whole pool being as likely as any other: of a thousand hosts that boot at
 * once few then race for one subnet.
 *
 *     pool       0  1  2  3  4  5  6  7  8  9      subnets of the configured length, by index
 *     taken         ████     ███████               leases and networks to keep clear of, of whatever length
 *     gaps       ▔▔       ▔▔          ▔▔▔▔▔▔▔      counted, not listed
 *
 * What is taken becomes intervals of indices, sorted once; the pick counts through the gaps. So it costs
 * n log n in the leases and nothing in the size of the pool, finds the last free subnet, and never misses that none is.
 */
import type { NetworkConfig } from '../config/network.js';
import { firstAddress, lastAddress, type Prefix, prefixSize } from '../net/prefix.js';

/** A network to keep clear of: one of the host's own routes or addresses, but no default route and none of ours. */
export interface Forbidden {
  readonly network: Prefix;
  /** For a log line: `10.5.8.0/24 dev docker0 proto kernel`. */
  readonly text: string;
}

export interface Allocation {
  /** Undefined when none is free. */
  readonly subnet: Prefix | undefined;
  /** Those of the forbidden networks that at least one subnet was passed over for which no lease holds. */
  readonly passedOver: readonly Forbidden[];
}

export interface AllocationInput {
  readonly network: NetworkConfig;
  /** All leases, of any prefix length, inside the pool or not. */
  readonly taken: Iterable<Prefix>;
  readonly forbidden: readonly Forbidden[];
  /** Uniform in [0, 1), as Math.random. */
  readonly random: () => number;
}

/** Subnets by index, both ends included. */
interface Interval {
  readonly first: number;
  readonly last: number;
}

/** How many subnets may be leased. */
export function poolSize(network: NetworkConfig): number {
  return (network.subnetMax - network.subnetMin) / prefixSize(network.subnetLength) + 1;
}

export function allocate(input: AllocationInput): Allocation {
  const { network, random } = input;
  const leased = merge([...input.taken].flatMap((prefix) => indices(network, prefix)));
  const passedOver = input.forbidden.filter((forbidden) =>
    indices(network, forbidden.network).some((interval) => !covers(leased, interval)),
  );
  const avoided = passedOver.flatMap((forbidden) => indices(network, forbidden.network));
  const blocked = merge([...leased, ...avoided]);

  const free = blocked.reduce((count, { first, last }) => count - (last - first + 1), poolSize(network));
  if (free === 0) return { subnet: undefined, passedOver };
  const index = nthFree(blocked, Math.floor(random() * free));
  const address = network.subnetMin + index * prefixSize(network.subnetLength);
  return { subnet: { address, length: network.subnetLength }, passedOver };
}

/** The subnets of the pool that a network overlaps: one interval, or none. */
function indices(network: NetworkConfig, prefix: Prefix): Interval[] {
  const size = prefixSize(network.subnetLength);
  const indexOf = (address: number) => Math.floor((address - network.subnetMin) / size);
  const first = Math.max(indexOf(firstAddress(prefix)), 0);
  const last = Math.min(indexOf(lastAddress(prefix)), poolSize(network) - 1);
  return first <= last ? [{ first, last }] : [];
}

/** The same indices as intervals in order that neither overlap nor touch. */
function merge(intervals: Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const next of intervals.sort((a, b) => a.first - b.first)) {
    const current = merged.at(-1);
    if (current && next.first <= current.last + 1)
      merged[merged.length - 1] = { first: current.first, last: Math.max(current.last, next.last) };
    else merged.push(next);
  }
  return merged;
}

/** Whether `merged` has all of these indices; it is searched by halves. */
function covers(merged: readonly Interval[], { first, last }: Interval): boolean {
  let [low, high] = [0, merged.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (merged[middle]!.first <= first) low = middle + 1;
    else high = middle;
  }
  const candidate = merged[low - 1];
  return candidate !== undefined && last <= candidate.last;
}

function nthFree(blocked: readonly Interval[], n: number): number {
  let index = n;
  for (const { first, last } of blocked) {
    if (index < first) break;
    index += last - first + 1;
  }
  return index;
}
