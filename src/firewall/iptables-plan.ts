/**
 * From a wish and what iptables-save shows to the blocks that should be there.
 *
 * flannel's two chains, each with one jump to it, belong to all daemons on this host together. The jumps, and the rule
 * on Kubernetes' mark, stay as long as a rule for any network is left.
 */
import type { Prefix } from '../net/prefix.js';
import { type Block, type DifferenceInput, difference, type Step } from './difference.js';
import { dockerBlocks } from './docker-rules.js';
import type { FirewallWish } from './firewall.js';
import { iptablesText } from './iptables-text.js';
import { isOurIptablesRule } from './ours.js';
import type { Rule } from './rule.js';
import { FORWARD_COMMENT, flannelRules, LEAVE_MARKED, MASQUERADE_COMMENT } from './rules.js';
import { type Ruleset, rulesOf, type Table } from './ruleset.js';

export interface TablePlan {
  readonly table: string;
  readonly steps: readonly Step[];
}

interface FlannelChain {
  readonly table: string;
  readonly chain: string;
  /** From which chain a packet comes here, by which rule. */
  readonly parent: string;
  readonly jump: string;
  /** Comes first, once for all networks. */
  readonly first: readonly string[];
}

const MASQUERADE_CHAIN: FlannelChain = {
  table: 'nat',
  chain: 'FLANNEL-POSTRTG',
  parent: 'POSTROUTING',
  jump: jumpTo('FLANNEL-POSTRTG', MASQUERADE_COMMENT),
  first: [iptablesText(LEAVE_MARKED)],
};
const FORWARD_CHAIN: FlannelChain = {
  table: 'filter',
  chain: 'FLANNEL-FWD',
  parent: 'FORWARD',
  jump: jumpTo('FLANNEL-FWD', FORWARD_COMMENT),
  first: [],
};
/** Those in which rules of ours may be. */
const TABLES = ['nat', 'filter', 'raw'];

function jumpTo(chain: string, comment: string): string {
  return iptablesText({ verdict: { kind: 'jump', chain }, comment });
}

/**
 * `networks` are those whose rules are ours. `wish` undefined: none of ours is to be there. With nftables as manager,
 * what flannel does is done there, and here only what Docker's rules call for.
 */
export function planIptables(
  observed: Ruleset,
  networks: readonly Prefix[],
  wish: FirewallWish | undefined,
): readonly TablePlan[] {
  const isOurs = (rule: string) => isOurIptablesRule(rule, networks);
  const others = without(observed, isOurs);
  const rules = wish?.manager === 'iptables' ? flannelRules(wish) : undefined;
  const chains = [
    flannelBlocks(MASQUERADE_CHAIN, rules?.masquerade ?? [], others),
    flannelBlocks(FORWARD_CHAIN, rules?.forward ?? [], others),
  ];
  const blocks = [
    ...chains.flatMap((chain) => chain.blocks),
    ...(wish ? dockerBlocks(observed, others, wish) : []),
  ];
  const abandoned = new Set(chains.flatMap((chain) => chain.abandoned));
  return TABLES.flatMap((table) => {
    const input: DifferenceInput = {
      blocks: blocks.filter((block) => block.table === table && block.rules.length > 0),
      observed: observed.get(table) ?? new Map(),
      isOurs: (rule) => isOurs(rule) || abandoned.has(rule),
      abandoned: chains.filter((own) => own.table === table && own.isAbandoned).map((own) => own.chain),
    };
    const steps = difference(input);
    return steps.length > 0 ? [{ table, steps }] : [];
  });
}

/**
 * Whether a chain of flannel's is empty though a rule leads there. A flanneld that starts leaves it so while it makes up
 * its rules, and then appends them to what there is by then.
 */
export function isBeingFilled(observed: Ruleset): boolean {
  return [MASQUERADE_CHAIN, FORWARD_CHAIN].some(
    ({ table, chain, parent, jump }) =>
      observed.get(table)?.get(chain)?.rules.length === 0 && rulesOf(observed, table, parent).includes(jump),
  );
}

interface FlannelBlocks {
  readonly chain: string;
  readonly table: string;
  readonly blocks: readonly Block[];
  readonly isAbandoned: boolean;
  /** Rules that no network is left to need. */
  readonly abandoned: readonly string[];
}

function flannelBlocks(own: FlannelChain, rules: readonly Rule[], others: Ruleset): FlannelBlocks {
  const { table, chain, parent, jump, first } = own;
  const foreign = rulesOf(others, table, chain).some((rule) => !first.includes(rule));
  if (rules.length === 0) {
    const isAbandoned = !foreign;
    return { chain, table, blocks: [], isAbandoned, abandoned: isAbandoned ? [jump, ...first] : [] };
  }
  const blocks: Block[] = [
    { table, chain, rules: first, before: (rule) => !first.includes(rule) },
    { table, chain, rules: rules.map(iptablesText) },
    { table, chain: parent, rules: [jump] },
  ];
  return { chain, table, blocks, isAbandoned: false, abandoned: [] };
}

function without(ruleset: Ruleset, isOurs: (rule: string) => boolean): Ruleset {
  const tables = new Map<string, Table>();
  for (const [name, table] of ruleset) {
    const chains = [...table].map(
      ([chain, { rules, ...rest }]) =>
        [chain, { ...rest, rules: rules.filter((rule) => !isOurs(rule)) }] as const,
    );
    tables.set(name, new Map(chains));
  }
  return tables;
}
