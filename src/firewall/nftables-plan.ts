/** From a wish to the blocks of our nftables table, and from steps to what `nft -f` reads. */
import type { Prefix } from '../net/prefix.js';
import { type Block, difference, type Step } from './difference.js';
import type { FirewallWish } from './firewall.js';
import { nftablesText } from './nftables-text.js';
import { isOurNftablesRule } from './ours.js';
import type { Rule } from './rule.js';
import { flannelRules, LEAVE_MARKED } from './rules.js';
import type { Handles, Table } from './ruleset.js';

/** flannel's (pkg/trafficmngr/nftables), shared by all daemons on this host. */
export const NFT_TABLE = 'ip flannel-ipv4';
const FORWARD = 'forward';
const MASQUERADE = 'postrtg';

const FRAME = [
  `add table ${NFT_TABLE} { comment "rules for flannel-ipv4"; }`,
  `add chain ${NFT_TABLE} ${FORWARD} { type filter hook forward priority filter; comment "chain to accept flannel traffic"; }`,
  `add chain ${NFT_TABLE} ${MASQUERADE} { type nat hook postrouting priority srcnat; comment "chain to manage traffic masquerading by flannel"; }`,
];

/** `wish` undefined: none of ours is to be there. */
export function planNftables(
  observed: Table,
  networks: readonly Prefix[],
  wish: FirewallWish | undefined,
): readonly Step[] {
  const rules = wish?.manager === 'nftables' ? flannelRules(wish) : undefined;
  const marked = nftablesText(LEAVE_MARKED);
  const isOurs = (rule: string) => isOurNftablesRule(rule, networks);
  const isShared = (observed.get(MASQUERADE)?.rules ?? []).some((rule) => rule !== marked && !isOurs(rule));
  return difference({
    blocks: rules === undefined ? [] : [...masqueradeBlocks(rules.masquerade), block(FORWARD, rules.forward)],
    observed,
    isOurs: (rule) => isOurs(rule) || (rule === marked && !isShared),
    abandoned: [],
  });
}

function masqueradeBlocks(rules: readonly Rule[]): readonly Block[] {
  const first = nftablesText(LEAVE_MARKED);
  const marked = {
    table: NFT_TABLE,
    chain: MASQUERADE,
    rules: [first],
    before: (rule: string) => rule !== first,
  };
  return rules.length === 0 ? [] : [marked, block(MASQUERADE, rules)];
}

function block(chain: string, rules: readonly Rule[]): Block {
  return { table: NFT_TABLE, chain, rules: rules.map(nftablesText) };
}

/**
 * One transaction. Rules go by their handles, so one that somebody else has taken out meanwhile makes it fail as a
 * whole. Ours come either first or last in their chain.
 */
export function nftText(steps: readonly Step[], observed: Table, handles: Handles): string {
  const taken = new Set<number>();
  const lines = steps.flatMap((step) => {
    switch (step.kind) {
      case 'delete': {
        const rules = observed.get(step.chain)?.rules ?? [];
        const handle = (handles.get(step.chain) ?? []).find(
          (h, i) => rules[i] === step.rule && !taken.has(h),
        )!;
        taken.add(handle);
        return [`delete rule ${NFT_TABLE} ${step.chain} handle ${handle}`];
      }
      case 'insert':
        return [
          `${step.index === undefined ? 'add' : 'insert'} rule ${NFT_TABLE} ${step.chain} ${step.rule}`,
        ];
      default:
        return []; // the frame makes chains, and they stay
    }
  });
  return [...FRAME, ...lines, ''].join('\n');
}
