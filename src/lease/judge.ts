/**
 * Whether a lease may be put to use on this host. Anybody who may write to etcd can write a lease, and a wrong one
 * could take our containers, the host's own network or a peer off the air; so nothing trusts a lease blindly.
 *
 * Each lease is judged on its own: what is true of two leases together (they overlap, they claim one MAC) is not
 * seen here. Peers that overlap do no harm, the kernel takes the longer prefix.
 */
import type { NetworkConfig } from '../config/network.js';
import { shown } from '../json.js';
import { isUsableIpv4, parseIpv4 } from '../net/ipv4.js';
import { contains, equalPrefixes, formatPrefix, masked, overlaps, type Prefix } from '../net/prefix.js';
import type { Lease } from './lease.js';

export interface JudgeContext {
  readonly network: NetworkConfig;
  /** Our own subnet; undefined where there is none, as for `loden leases` on a machine that is no host. */
  readonly subnet: Prefix | undefined;
  readonly publicIp: string | undefined;
  readonly uplinkNetworks: readonly Prefix[];
  /** The value of `BackendType` that our backend reaches; undefined when it does not look at it (udp, alloc). */
  readonly leaseType: string | undefined;
  /** The backend's own word. */
  refusal(lease: Lease): string | undefined;
}

export type Judgement =
  | { readonly verdict: 'ok' }
  /** The lease is this host's. */
  | { readonly verdict: 'own' }
  /** `reason` is a phrase for a table's column or a log line, and names the values. */
  | { readonly verdict: 'refused'; readonly reason: string };

export function judge(lease: Lease, context: JudgeContext): Judgement {
  if (context.subnet && equalPrefixes(lease.subnet, context.subnet)) return { verdict: 'own' };
  const reason = subnetRefusal(lease, context) ?? holderRefusal(lease, context) ?? context.refusal(lease);
  return reason === undefined ? { verdict: 'ok' } : { verdict: 'refused', reason };
}

function subnetRefusal({ subnet }: Lease, context: JudgeContext): string | undefined {
  if (!equalPrefixes(subnet, masked(subnet)))
    return `has host bits, ${formatPrefix(masked(subnet))} has none`;
  if (!contains(context.network.network, subnet))
    return `outside the pool ${formatPrefix(context.network.network)}`;
  if (context.subnet && overlaps(subnet, context.subnet))
    return `overlaps our subnet ${formatPrefix(context.subnet)}`;
  const uplink = context.uplinkNetworks.find((network) => overlaps(subnet, network));
  return uplink && `overlaps the uplink's network ${formatPrefix(uplink)}`;
}

function holderRefusal({ subnet, attributes }: Lease, context: JudgeContext): string | undefined {
  const address = parseIpv4(attributes.publicIp);
  if (address === undefined || !isUsableIpv4(address))
    return `public IP ${attributes.publicIp} is not a host's address`;
  if (contains(subnet, address)) return `public IP ${attributes.publicIp} lies inside the subnet itself`;
  if (attributes.publicIp === context.publicIp) return `public IP ${attributes.publicIp} is our own`;
  if (context.leaseType !== undefined && attributes.backendType !== context.leaseType)
    return `backend type is ${named(attributes.backendType)}, ours is ${named(context.leaseType)}`;
  return undefined;
}

function named(type: string): string {
  if (type === '') return 'not given';
  return /^[\w-]{1,30}$/.test(type) ? type : shown(type);
}
