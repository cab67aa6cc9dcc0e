/** What can happen to a network, as data: the tests make it happen, and the table on the page lists it. */
import type { LabHost } from '../../src/lab/host.js';
import type { Lab } from '../../src/lab/lab.js';
import type { LabOptions } from '../../src/lab/options.js';

/** The lease TTL of all daemons here, so that "longer than a lease lives" is a few seconds. */
export const TTL_SECONDS = 2;

/** Of each daemon. */
export const FLAGS = [`--subnet-lease-ttl=${TTL_SECONDS}s`];

/** How many TTLs an outage takes. When there is time, this environment variable makes them more. */
export const OUTAGE_TTLS = Number(process.env.LODEN_FAULT_TTLS ?? 1.6);
if (!(OUTAGE_TTLS > 1))
  throw new RangeError('LODEN_FAULT_TTLS takes a number above 1: an outage outlasts a lease');

export interface Fault {
  /** What happens, as in the table. */
  readonly what: string;
  /** Makes it happen, and then takes the cause away. */
  strike(scene: Scene): Promise<void>;
  /** It befalls one host, h1, and not the network. */
  readonly befalls?: 'h1';
  /** Pings at 100 a second that may be lost to and from that host; 0 when absent. Between others none may ever. */
  readonly mayLose?: number;
  /** How long after the cause is gone the network may take to be whole; 5 when absent. */
  readonly wholeWithinSeconds?: number;
  /** What each daemon that notices says of the cause, once; in all their logs since, together. */
  readonly says?: RegExp;
}

/** Faults of one kind, that share a lab. */
export interface FaultGroup {
  /** Of the file with its results. */
  readonly name: string;
  readonly backend: string;
  readonly lab: LabOptions;
  readonly faults: readonly Fault[];
}

export interface Scene {
  readonly lab: Lab;
  readonly h1: LabHost;
  /** Waits while so many seconds' worth of pings between hosts that it does not befall come back. */
  pass(seconds: number): Promise<void>;
  /** The same, for longer than a lease lives without renewal. */
  outlast(): Promise<void>;
}

export interface FaultResult {
  readonly what: string;
  readonly backend: string;
  /** Between hosts that it does not befall. */
  readonly sent: number;
  readonly lost: number;
  /** To and from the host that it befalls. */
  readonly sentThrough?: number;
  readonly lostThrough?: number;
  /** From when the cause was gone, until leases and kernels were whole and every pair reached each other. */
  readonly secondsUntilWhole: number;
}
