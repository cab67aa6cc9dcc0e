/** What a change of the network config does to the hosts that are there. */
import { isDeepStrictEqual } from 'node:util';
import type { CheckedConfig } from '../backend/checked-config.js';
import type { NetworkConfig } from '../config/network.js';
import { fitsPool } from '../lease/fit.js';
import type { Lease } from '../lease/lease.js';
import { formatIpv4 } from '../net/ipv4.js';
import { formatPrefix } from '../net/prefix.js';

export interface Stranded {
  readonly lease: Lease;
  readonly reason: string;
}

/**
 * The leases that no host may keep under the new config and every host may under the old one: at its next start such
 * a host takes another subnet. Without an old config all are looked at.
 */
function strandedLeases(
  leases: Iterable<Lease>,
  before: NetworkConfig | undefined,
  after: NetworkConfig,
): Stranded[] {
  return [...leases].flatMap((lease) => {
    if (before && misfit(lease, before) !== undefined) return [];
    const reason = misfit(lease, after);
    return reason === undefined ? [] : [{ lease, reason }];
  });
}

/** Why a host may not keep this lease, in words; undefined if it may. */
export function misfit(
  { subnet, subnetV6 }: Pick<Lease, 'subnet' | 'subnetV6'>,
  config: NetworkConfig,
): string | undefined {
  if (subnetV6 !== undefined) return `has an IPv6 subnet, ${subnetV6}`;
  if (fitsPool(config, subnet)) return undefined;
  if (subnet.length !== config.subnetLength) return `is a /${subnet.length}, not a /${config.subnetLength}`;
  return `is none of ${formatIpv4(config.subnetMin)} to ${formatIpv4(config.subnetMax)}`;
}

/** `10.5.3.0/24 of 192.0.2.3 is none of …`, the first few of them, and how many more. */
export function describeStranded(stranded: readonly Stranded[], shown = 5): string[] {
  const lines = stranded
    .slice(0, shown)
    .map(({ lease, reason }) => `${formatPrefix(lease.subnet)} of ${lease.attributes.publicIp} ${reason}`);
  const more = stranded.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

/** `before` is undefined when there was no config that a daemon could have started with. */
export function consequencesOf(
  leases: readonly Lease[],
  before: CheckedConfig | undefined,
  after: CheckedConfig,
): { readonly stranded: readonly Stranded[]; readonly warnings: readonly string[] } {
  const stranded = strandedLeases(leases, before?.network, after.network);
  const count = stranded.length === 1 ? '1 lease is' : `${stranded.length} leases are`;
  const newPath = before && leases.length > 0 && !isDeepStrictEqual(dataPath(before), dataPath(after));
  const warnings = [
    ...(stranded.length > 0
      ? [
          `${count} stranded: such a host takes another subnet at its next start, its containers new addresses`,
        ]
      : []),
    ...(newPath
      ? ['the backend changes: until all hosts have been restarted, not all reach each other']
      : []),
  ];
  return { stranded, warnings };
}

function dataPath({ backend, backendOptions }: CheckedConfig): unknown {
  return { type: backend.type, backendOptions };
}

/** JSON in one form, so that a diff shows what changed and not how it was laid out. */
export function laidOut(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text.trimEnd();
  }
}
