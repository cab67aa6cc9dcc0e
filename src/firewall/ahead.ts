import type { Block } from './difference.js';
import type { Flow } from './flow.js';
import { type Ruleset, rulesOf } from './ruleset.js';
import { trace } from './trace.js';

/** A rule that lets a flow pass before others drop or rewrite it. */
export interface Pass {
  readonly flow: Flow;
  readonly rule: string;
}

interface AheadInput {
  readonly table: string;
  readonly chain: string;
  readonly passes: readonly Pass[];
  readonly observed: Ruleset;
  /** `observed` without what is ours. */
  readonly others: Ruleset;
  /** Whether to get ahead of a rule; of all that do something to a flow when absent. */
  readonly concerns?: (rule: string) => boolean;
  /** Keep a pass that is there and that nothing harmful calls for at the moment. */
  readonly keep: boolean;
}

/**
 * The passes that a chain needs, ahead of the rules that make them needed. None where nothing harms: a rule of ours
 * that does nothing would only puzzle.
 */
export function ahead(input: AheadInput): Block {
  const { table, chain, passes, observed, others, keep, concerns = () => true } = input;
  const there = rulesOf(observed, table, chain);
  const harmful = new Set<string>();
  const needed = passes.filter(({ flow, rule }) => {
    const entries = trace(others, table, chain, flow)
      .flatMap(({ entry }) => entry ?? [])
      .filter(concerns);
    for (const entry of entries) harmful.add(entry);
    return entries.length > 0 || (keep && there.includes(rule));
  });
  return { table, chain, rules: needed.map(({ rule }) => rule), before: (rule) => harmful.has(rule) };
}
