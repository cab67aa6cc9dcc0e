/** What there is in the model: etcd, a few hosts, and what may still befall them. */
import type { NetworkConfig } from '../../../src/config/network.js';
import { allocate } from '../../../src/lease/allocate.js';
import { fitsPool, isSameHolder, olderOverlap, overlappingKey, ownKeyState } from '../../../src/lease/fit.js';
import type { Lease, LeaseAttributes } from '../../../src/lease/lease.js';
import type { Prefix } from '../../../src/net/prefix.js';
import type { Etcd, Event } from './etcd.js';

/** The decisions of the daemon that the model asks, as the daemon has them. A test may put a wrong one in. */
export const RULES = { allocate, fitsPool, isSameHolder, olderOverlap, overlappingKey, ownKeyState };
export type Rules = typeof RULES;

/** What stays the same for a host. Those with one network are alike. */
export interface Kind {
  readonly attributes: LeaseAttributes;
  readonly network: NetworkConfig;
}

/** What stays the same for all. */
export interface Setup {
  readonly kinds: readonly Kind[];
  /** Ticks that etcd's leases live. */
  readonly ttl: number;
  /** Ticks that a host thinks they live: more when its clock is slow. */
  readonly ownTtl: number;
  readonly rules: Rules;
  /** Whether the watch may tell a host something while that settles what it was told before. */
  readonly watchAlways: boolean;
}

/** How many times each of these may still happen. */
export interface Budget {
  /** The daemon is killed. */
  readonly crashes: number;
  /** The host is: `subnet.env` is gone as well. */
  readonly reboots: number;
  /** A write is carried out and its answer lost. */
  readonly lostAnswers: number;
  /** An etcd lease that was not renewed in time is revoked. */
  readonly expiries: number;
  readonly wipes: number;
  readonly restores: number;
}

export interface World {
  readonly etcd: Etcd;
  readonly hosts: readonly Host[];
  readonly backup: Etcd | undefined;
  readonly budget: Budget;
  readonly setup: Setup;
}

/** What a host follows of its own key: how its table has it, and what the watch has still to tell. */
export interface View {
  readonly table: Lease | undefined;
  readonly queue: readonly Event[];
}

/** A host that has its subnet, as `OwnLease` is. */
export interface Keeping extends View {
  readonly lease: Lease;
  /** Ticks until its own deadline: one TTL after it asked for what was granted last. */
  readonly sure: number;
  readonly seen: Lease | undefined;
  readonly goneUpTo: number;
}

/** The subnet that `subnet.env` names, and what `acquire` wants in its place after a lease expired under its hands. */
interface Acquiring {
  readonly previous: Prefix | undefined;
  readonly wanted: Prefix | undefined;
}

/** `at` is what the daemon does next. */
export type Host =
  | { readonly at: 'start'; readonly previous: Prefix | undefined; readonly file: Saved | undefined }
  | (Acquiring & { readonly at: 'read'; readonly released: boolean })
  | (Acquiring & { readonly at: 'release useless'; readonly useless: readonly Lease[] })
  | (Acquiring & View & { readonly at: 'take up'; readonly lease: Lease })
  | (Acquiring & View & { readonly at: 'claim'; readonly subnet: Prefix })
  | (Acquiring & { readonly at: 'give way'; readonly lease: Lease })
  | (Keeping & { readonly at: 'hold' })
  | (Keeping & { readonly at: 'reclaim' })
  | (Keeping & { readonly at: 'look' })
  | (Keeping & { readonly at: 'take back'; readonly claimed: Lease })
  | (Keeping & { readonly at: 'yield'; readonly claimed: Lease });

/** The state file: what the host held, and how long that is good for. */
export interface Saved {
  readonly lease: Lease;
  readonly sure: number;
}
