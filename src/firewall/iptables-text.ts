import { formatPrefix } from '../net/prefix.js';
import type { AddressMatch, Rule, Verdict } from './rule.js';

/**
 * A rule in the words and the order in which iptables-save prints it, without its chain, so that a rule that is there
 * is found by comparing texts: `-s 10.5.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT`.
 */
export function iptablesText(rule: Rule): string {
  const { source, destination, inLink, outLink, markBit, comment } = rule;
  return [
    ...address('-s', source),
    ...address('-d', destination),
    ...(inLink === undefined ? [] : [`-i ${inLink}`]),
    ...(outLink === undefined ? [] : [`-o ${outLink}`]),
    ...(markBit === undefined ? [] : [`-m mark --mark ${hex(markBit)}/${hex(markBit)}`]),
    `-m comment --comment "${comment}"`,
    `-j ${target(rule.verdict)}`,
  ].join(' ');
}

function address(option: string, match: AddressMatch | undefined): string[] {
  if (match === undefined) return [];
  return [`${match.outside ? '! ' : ''}${option} ${formatPrefix(match.network)}`];
}

function target(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'jump':
      return verdict.chain;
    case 'masquerade':
      return verdict.fullyRandom ? 'MASQUERADE --random-fully' : 'MASQUERADE';
    default:
      return verdict.kind.toUpperCase();
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
