import { formatPrefix, type Prefix } from '../net/prefix.js';
import { FORWARD_COMMENT, MASQUERADE_COMMENT } from './rules.js';

/** On rules that flannel does not have. */
export const LODEN_COMMENT = 'loden containers';

const COMMENTS = [MASQUERADE_COMMENT, FORWARD_COMMENT, LODEN_COMMENT].map((text) => `--comment "${text}"`);

/**
 * Whether an iptables rule was made for one of these networks, by us or by a flanneld: it carries one of the comments
 * and names the network. So two daemons with two networks leave each other's rules alone.
 */
export function isOurIptablesRule(rule: string, networks: readonly Prefix[]): boolean {
  return COMMENTS.some((comment) => rule.includes(comment)) && names(rule, networks);
}

/** The same of a rule in our nftables table, where none of anybody else's should be. */
export function isOurNftablesRule(rule: string, networks: readonly Prefix[]): boolean {
  return names(rule, networks);
}

function names(rule: string, networks: readonly Prefix[]): boolean {
  const words = rule.split(' ');
  return networks.some((network) => words.includes(formatPrefix(network)));
}
