/** A rule as plain data, of which each kind of firewall has its own text. */
import type { Prefix } from '../net/prefix.js';

export interface AddressMatch {
  readonly network: Prefix;
  /** Matches what is outside. */
  readonly outside?: true;
}

export interface Rule {
  readonly source?: AddressMatch;
  readonly destination?: AddressMatch;
  readonly inLink?: string;
  readonly outLink?: string;
  /** This bit of the packet's mark is set. */
  readonly markBit?: number;
  readonly verdict: Verdict;
  /** iptables shows it; that and the networks are how rules of ours are known again. */
  readonly comment: string;
}

export type Verdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'return' }
  | { readonly kind: 'masquerade'; readonly fullyRandom: boolean }
  | { readonly kind: 'jump'; readonly chain: string };

export const ACCEPT: Verdict = { kind: 'accept' };
export const RETURN: Verdict = { kind: 'return' };
