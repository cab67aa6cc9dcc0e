import type { TablePlan } from '../../src/firewall/iptables-plan.js';
import { parseIptablesSave, type Ruleset } from '../../src/firewall/ruleset.js';

/** Takes the steps on a copy, as iptables-restore does; throws where that would refuse. */
export function afterPlans(before: Ruleset, plans: readonly TablePlan[]): Ruleset {
  const tables = new Map([...before].map(([name, table]) => [name, new Map(table)]));
  for (const { table, steps } of plans) {
    const chains =
      tables.get(table) ?? new Map(BUILT_IN.map((chain) => [chain, { policy: 'ACCEPT', rules: [] }]));
    tables.set(table, chains);
    for (const step of steps) {
      const found = chains.get(step.chain);
      if (step.kind === 'make chain') {
        if (found) throw new Error(`${step.chain} is there already`);
        chains.set(step.chain, { rules: [] });
        continue;
      }
      if (!found) throw new Error(`no chain ${step.chain}`);
      const rules = [...found.rules];
      if (step.kind === 'delete') {
        if (!rules.includes(step.rule)) throw new Error(`no rule ${step.rule}`);
        rules.splice(rules.indexOf(step.rule), 1);
      } else if (step.kind === 'insert') {
        if ((step.index ?? 0) > rules.length) throw new Error(`no place ${step.index}`);
        rules.splice(step.index ?? rules.length, 0, step.rule);
      } else {
        const jumps = [...chains.values()].some((chain) =>
          chain.rules.some((rule) => rule.endsWith(`-j ${step.chain}`)),
        );
        if (jumps || rules.length > 0) throw new Error(`${step.chain} is in use`);
        chains.delete(step.chain);
        continue;
      }
      chains.set(step.chain, { ...found, rules });
    }
  }
  return tables;
}

const BUILT_IN = ['PREROUTING', 'FORWARD', 'POSTROUTING'];

/** `nat POSTROUTING -s …`, in order. */
export function linesOf(ruleset: Ruleset): string[] {
  return [...ruleset].flatMap(([table, chains]) =>
    [...chains].flatMap(([chain, { rules }]) => rules.map((rule) => `${table} ${chain} ${rule}`)),
  );
}

export const parse = parseIptablesSave;
