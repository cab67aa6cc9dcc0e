import { formatPrefix } from '../net/prefix.js';
import type { AddressMatch, Rule, Verdict } from './rule.js';

/**
 * A rule as `nft list` prints it: `ip saddr 10.5.0.0/16 accept`. The comment is left out, as flannel does.
 */
export function nftablesText(rule: Rule): string {
  const { source, destination, inLink, outLink, markBit } = rule;
  return [
    ...address('saddr', source),
    ...address('daddr', destination),
    ...(inLink === undefined ? [] : [`iifname "${inLink}"`]),
    ...(outLink === undefined ? [] : [`oifname "${outLink}"`]),
    ...(markBit === undefined ? [] : [`meta mark & ${hex(markBit)} == ${hex(markBit)}`]),
    statement(rule.verdict),
  ].join(' ');
}

function address(field: string, match: AddressMatch | undefined): string[] {
  if (match === undefined) return [];
  return [`ip ${field} ${match.outside ? '!= ' : ''}${formatPrefix(match.network)}`];
}

function statement(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'jump':
      return `jump ${verdict.chain}`;
    case 'masquerade':
      return verdict.fullyRandom ? 'masquerade fully-random' : 'masquerade';
    default:
      return verdict.kind;
  }
}

/** With all its digits, as nft prints a mark. */
function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
