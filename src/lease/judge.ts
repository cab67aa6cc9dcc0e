/**
 * Whether a lease may be put to use on this host. Anybody who may write to etcd can write a lease, and a wrong one
 * could take our containers, the host's own network or a peer off the air; so nothing trusts a lease blindly.
 *
 * Each lease is judged on its own here. What is true of two leases together, that they overlap or claim one MAC, is
 * `standing`'s matter; `judgements` has both.
 */
import type { NetworkConfig } from '../config/network.js';
import { shown } from '../json.js';
import { type Ipv4, isUsableIpv4, parseIpv4 } from '../net/ipv4.js';
import {
  contains,
  equalPrefixes,
  firstAddress,
  formatPrefix,
  lastAddress,
  masked,
  overlaps,
  type Prefix,
} from '../net/prefix.js';
import type { Lease } from './lease.js';
import type { Marks } from './standing.js';

export interface JudgeContext extends Marks {
  readonly network: NetworkConfig;
  /** Our own subnet; undefined where there is none, as for `loden leases` on a machine that is no host. */
  readonly subnet: Prefix | undefined;
  readonly publicIp: string | undefined;
  readonly uplinkNetworks: readonly Prefix[];
  /** Addresses that this host must go on reaching as it does, or that are its own. */
  readonly guarded: readonly GuardedAddress[];
  /** The value of `BackendType` that our backend reaches; undefined when it does not look at it (udp, alloc). */
  readonly leaseType: string | undefined;
  /** The backend's own word. */
  refusal(lease: Lease): string | undefined;
}

export interface GuardedAddress {
  readonly address: Ipv4;
  /** A phrase: `10.5.3.3, a DNS server`. */
  readonly text: string;
}

/**
 * What kind of thing is wrong with a lease, for counting: host bits, or not in the pool; something of this host's, or that
 * it depends on; the public IP; another backend, or data that ours can do nothing with; an older lease that overlaps; an
 * older lease with the same MAC.
 */
export const REFUSAL_KINDS = ['subnet', 'this-host', 'public-ip', 'backend', 'overlap', 'mark'] as const;

export type RefusalKind = (typeof REFUSAL_KINDS)[number];

export type Judgement =
  | { readonly verdict: 'ok' }
  /** The lease is this host's. */
  | { readonly verdict: 'own' }
  /** `reason` is a phrase for a table's column or a log line, and names the values. */
  | { readonly verdict: 'refused'; readonly kind: RefusalKind; readonly reason: string };

type Check = (lease: Lease, context: JudgeContext) => string | undefined;

/** In order; the first that has something to say is the reason. */
const CHECKS: readonly (readonly [RefusalKind, Check])[] = [
  ['subnet', subnetRefusal],
  ['this-host', hijack],
  ['public-ip', publicIpRefusal],
  ['backend', typeRefusal],
  ['backend', (lease, context) => context.refusal(lease)],
];

export function judge(lease: Lease, context: JudgeContext): Judgement {
  if (isOwn(lease, context)) return { verdict: 'own' };
  for (const [kind, check] of CHECKS) {
    const reason = check(lease, context);
    if (reason !== undefined) return { verdict: 'refused', kind, reason };
  }
  return { verdict: 'ok' };
}

/** A key with an IPv6 half is another one, and no loden's. */
function isOwn({ subnet, subnetV6 }: Lease, { subnet: ours }: JudgeContext): boolean {
  return ours !== undefined && subnetV6 === undefined && equalPrefixes(subnet, ours);
}

function subnetRefusal({ subnet }: Lease, { network }: JudgeContext): string | undefined {
  if (!equalPrefixes(subnet, masked(subnet)))
    return `has host bits, ${formatPrefix(masked(subnet))} has none`;
  return contains(network.network, subnet) ? undefined : `outside the pool ${formatPrefix(network.network)}`;
}

function hijack({ subnet }: Lease, context: JudgeContext): string | undefined {
  if (context.subnet && overlaps(subnet, context.subnet))
    return `overlaps our subnet ${formatPrefix(context.subnet)}`;
  const uplink = context.uplinkNetworks.find((network) => overlaps(subnet, network));
  if (uplink) return `overlaps the uplink's network ${formatPrefix(uplink)}`;
  const guarded = context.guarded.find(({ address }) => contains(subnet, address));
  return guarded && `takes ${guarded.text}`;
}

function publicIpRefusal({ subnet, attributes }: Lease, context: JudgeContext): string | undefined {
  const address = parseIpv4(attributes.publicIp);
  if (address === undefined || !isUsableIpv4(address))
    return `public IP ${attributes.publicIp} is not a host's address`;
  const network = context.uplinkNetworks.find((each) => isEnd(each, address));
  if (network) return `public IP ${attributes.publicIp} is not a host's in ${formatPrefix(network)}`;
  if (contains(subnet, address)) return `public IP ${attributes.publicIp} lies inside the subnet itself`;
  return attributes.publicIp === context.publicIp ? `public IP ${attributes.publicIp} is our own` : undefined;
}

/** The address of a network itself, or its broadcast address: a datagram to it is one to all. */
function isEnd(network: Prefix, address: Ipv4): boolean {
  return network.length < 31 && (address === firstAddress(network) || address === lastAddress(network));
}

function typeRefusal({ attributes }: Lease, { leaseType }: JudgeContext): string | undefined {
  if (leaseType === undefined || attributes.backendType === leaseType) return undefined;
  return `backend type is ${named(attributes.backendType)}, ours is ${named(leaseType)}`;
}

function named(type: string): string {
  if (type === '') return 'not given';
  return /^[\w-]{1,30}$/.test(type) ? type : shown(type);
}
