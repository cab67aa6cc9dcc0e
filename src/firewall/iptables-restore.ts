import type { Step } from './difference.js';
import type { TablePlan } from './iptables-plan.js';

/**
 * The steps as `iptables-restore --noflush` reads them. A table is changed as a whole or not at all: if somebody has
 * changed it meanwhile, so that a rule to be taken out is gone, the kernel's answer is no and nothing has happened.
 */
export function iptablesRestoreText(plans: readonly TablePlan[]): string {
  return plans.map(({ table, steps }) => [`*${table}`, ...steps.map(line), 'COMMIT', ''].join('\n')).join('');
}

function line(step: Step): string {
  switch (step.kind) {
    case 'make chain':
      return `-N ${step.chain}`;
    case 'delete':
      return `-D ${step.chain} ${step.rule}`;
    case 'insert':
      return step.index === undefined
        ? `-A ${step.chain} ${step.rule}`
        : `-I ${step.chain} ${step.index + 1} ${step.rule}`;
    case 'remove chain':
      return `-X ${step.chain}`;
  }
}
