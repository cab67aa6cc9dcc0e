/**
 * What to change in a table, from the blocks of rules that should be in its chains and what is there.
 *
 * Chains are shared: with Docker, with the operator, and flannel's own ones with a second daemon on the same host. So
 * no chain is ever emptied. What is ours and not wanted goes, what is wanted and missing comes, and a block whose
 * rules are not all there, in order and in time is taken out and put in again as a whole.
 */
import type { Table } from './ruleset.js';

/** Rules that belong together in one chain. */
export interface Block {
  readonly table: string;
  readonly chain: string;
  readonly rules: readonly string[];
  /** The block has to come before the first rule of the chain to which this applies; else its place is the end. */
  readonly before?: (rule: string) => boolean;
}

export type Step =
  | { readonly kind: 'make chain'; readonly chain: string }
  /** Takes out one rule of that text. */
  | { readonly kind: 'delete'; readonly chain: string; readonly rule: string }
  /** `index`: before the rule that has this place after the steps before this one; undefined: at the end. */
  | {
      readonly kind: 'insert';
      readonly chain: string;
      readonly rule: string;
      readonly index: number | undefined;
    }
  /** It is empty by then, and no rule jumps to it. */
  | { readonly kind: 'remove chain'; readonly chain: string };

export interface DifferenceInput {
  /** All of one table. */
  readonly blocks: readonly Block[];
  readonly observed: Table;
  /** Whether a rule is of this daemon's making, now or earlier. */
  readonly isOurs: (rule: string) => boolean;
  /** Chains that nobody needs any more: all that is in them and all that leads to them is ours. */
  readonly abandoned: readonly string[];
}

/** iptables' own chains, which are there as soon as somebody asks for them. */
const BUILT_IN = new Set(['PREROUTING', 'FORWARD', 'POSTROUTING']);

/** In the order in which to take them, in one transaction; none when all is as it should be. */
export function difference(input: DifferenceInput): readonly Step[] {
  const chains = new Set([...input.observed.keys(), ...input.blocks.map(({ chain }) => chain)]);
  const missing = [...chains].filter((chain) => !input.observed.has(chain) && !BUILT_IN.has(chain));
  const steps: Step[] = missing.map((chain) => ({ kind: 'make chain', chain }));
  for (const chain of chains) {
    const blocks = input.blocks.filter((block) => block.chain === chain);
    steps.push(...chainSteps(chain, blocks, input));
  }
  for (const chain of input.abandoned) {
    if (input.observed.has(chain)) steps.push({ kind: 'remove chain', chain });
  }
  return steps;
}

function chainSteps(
  chain: string,
  blocks: readonly Block[],
  { observed, isOurs }: DifferenceInput,
): readonly Step[] {
  const steps: Step[] = [];
  const rules = [...(observed.get(chain)?.rules ?? [])];
  const wanted = new Set(blocks.flatMap((block) => block.rules));
  const takeOut = (unwanted: (rule: string) => boolean) => {
    for (const rule of rules.filter(unwanted)) {
      steps.push({ kind: 'delete', chain, rule });
      rules.splice(rules.indexOf(rule), 1);
    }
  };
  takeOut((rule) => isOurs(rule) && !wanted.has(rule));
  for (const block of blocks) {
    if (isInPlace(block, rules)) continue;
    takeOut((rule) => block.rules.includes(rule));
    const found = block.before === undefined ? -1 : rules.findIndex(block.before);
    block.rules.forEach((rule, i) => {
      const index = found < 0 ? undefined : found + i;
      steps.push({ kind: 'insert', chain, rule, index });
      rules.splice(index ?? rules.length, 0, rule);
    });
  }
  return steps;
}

function isInPlace({ rules: wanted, before }: Block, rules: readonly string[]): boolean {
  const places = rules.flatMap((rule, i) => (wanted.includes(rule) ? [i] : []));
  if (places.length !== wanted.length || places.some((place, i) => rules[place] !== wanted[i])) return false;
  const limit = before === undefined ? -1 : rules.findIndex(before);
  return limit < 0 || places.every((place) => place < limit);
}
