/** Reservations: lease keys without an etcd lease, which never expire. A host with that public IP takes it for its own. */
import type { NetworkConfig } from '../config/network.js';
import { isReservation, type Lease, type LeaseAttributes } from '../lease/lease.js';
import { contains, equalPrefixes, formatPrefix, masked, overlaps, type Prefix } from '../net/prefix.js';
import { misfit } from './config-change.js';

/** No host has this one, so nobody takes a subnet that is reserved for it. */
export const NOBODY = '0.0.0.0';

/** A reservation that no host has taken: it says nothing yet of how its holder is reached. */
export function isUntouched(lease: Lease): boolean {
  const { backendType, backendData } = lease.attributes;
  return isReservation(lease) && backendType === '' && backendData === undefined;
}

export type ReservationPlan =
  /** What to hand to `store.reserve`. */
  | { readonly kind: 'write'; readonly attributes: LeaseAttributes; readonly held: Lease | undefined }
  | { readonly kind: 'already'; readonly publicIp: string }
  | { readonly kind: 'impossible'; readonly reason: string };

export interface ReservationRequest {
  readonly subnet: Prefix;
  /** Whom it is for; undefined: whoever holds it, or nobody. */
  readonly publicIp: string | undefined;
  readonly leases: Iterable<Lease>;
  readonly config: NetworkConfig;
}

/** What to write, given the leases there are. A lease that is held becomes a reservation for its holder. */
export function planReservation(request: ReservationRequest): ReservationPlan {
  const { subnet, publicIp, config } = request;
  const leases = [...request.leases];
  const impossible = (reason: string): ReservationPlan => ({ kind: 'impossible', reason });
  const held = leases.find((lease) => equalPrefixes(lease.subnet, subnet));
  if (held) return planForHeld(held, publicIp);

  if (!equalPrefixes(subnet, masked(subnet))) return impossible(`write it ${formatPrefix(masked(subnet))}`);
  if (!contains(config.network, subnet)) return impossible(`the pool is ${formatPrefix(config.network)}`);
  const other = leases.find((lease) => overlaps(lease.subnet, subnet));
  if (other) return impossible(`it overlaps ${formatPrefix(other.subnet)} of ${other.attributes.publicIp}`);
  const own = publicIp && leases.find((lease) => lease.attributes.publicIp === publicIp);
  if (own) return impossible(`${publicIp} has ${formatPrefix(own.subnet)} already; release that first`);

  // Kept from everybody, a network may be of any length; for a host it must be one that the host would take.
  const reason = publicIp && misfit({ subnet }, config);
  if (reason) return impossible(`it ${reason}`);
  const attributes = { publicIp: publicIp ?? NOBODY, publicIpV6: null, backendType: '' };
  return { kind: 'write', attributes, held: undefined };
}

function planForHeld(held: Lease, publicIp: string | undefined): ReservationPlan {
  const holder = held.attributes.publicIp;
  if (publicIp !== undefined && publicIp !== holder) {
    return { kind: 'impossible', reason: `${holder} holds it; release it first` };
  }
  if (isReservation(held)) return { kind: 'already', publicIp: holder };
  return { kind: 'write', attributes: held.attributes, held };
}
