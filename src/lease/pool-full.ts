/** The error for a pool without a free subnet: who has it, when something will be free, and what to change. */
import type { NetworkConfig } from '../config/network.js';
import { PoolFullError } from '../errors.js';
import { formatIpv4 } from '../net/ipv4.js';
import { formatPrefix } from '../net/prefix.js';
import { type Forbidden, poolSize } from './allocate.js';
import { isReservation, type Lease } from './lease.js';

export interface Expiry {
  readonly lease: Lease;
  readonly secondsLeft: number;
}

export interface FullPool {
  readonly network: NetworkConfig;
  readonly leases: readonly Lease[];
  /** Keys that name a subnet, and so hold it, but whose value cannot be read. */
  readonly unreadable: number;
  /** Networks of this host's that keep it from subnets no lease holds. */
  readonly passedOver: readonly Forbidden[];
  /** Of the leases that expire, those asked about; in any order. */
  readonly expiries: readonly Expiry[];
}

/** How many of the leases that expire first are named. */
const NAMED = 3;

export function poolFullError(full: FullPool): PoolFullError {
  return new PoolFullError([whatIsFull(full), ...whatMayFree(full), howToEnlarge(full.network)].join(' '));
}

function whatIsFull({ network, leases, unreadable, passedOver }: FullPool): string {
  const reservations = leases.filter(isReservation).length;
  const held = [`${count(leases.length, 'lease')} (${count(reservations, 'reservation')} among them)`];
  if (unreadable > 0) held.push(`${count(unreadable, 'key')} whose value cannot be read`);
  for (const { text } of passedOver) held.push(`this host's own "${text}"`);
  const range = `${formatIpv4(network.subnetMin)} to ${formatIpv4(network.subnetMax)}`;
  return (
    `none of the ${count(poolSize(network), 'subnet')} of length /${network.subnetLength} from ${range} is free: ` +
    `they are held by ${held.join(', ')}.`
  );
}

function whatMayFree({ expiries }: FullPool): string[] {
  const first = expiries.toSorted((a, b) => a.secondsLeft - b.secondsLeft).slice(0, NAMED);
  if (first.length === 0) return [];
  const named = first.map(
    ({ lease, secondsLeft }) =>
      `${formatPrefix(lease.subnet)} of ${lease.attributes.publicIp} in ${duration(secondsLeft)}`,
  );
  return [`Unless they are renewed, the first to expire: ${named.join(', ')}.`];
}

function howToEnlarge(network: NetworkConfig): string {
  return (
    `Release what is no longer used, or enlarge the pool in the network config: a wider Network than ` +
    `${formatPrefix(network.network)}, SubnetMin and SubnetMax further apart, or a SubnetLen over ${network.subnetLength}.`
  );
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** `50 s`, `12 min`, `3 h 5 min`. */
function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
