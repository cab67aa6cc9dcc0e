import type { Flow } from './flow.js';
import { match } from './matching.js';
import { type Ruleset, rulesOf } from './ruleset.js';

/** A rule that does something to packets of a flow. */
export interface Hit {
  /** `DROP`, `REJECT`, `MASQUERADE`, `SNAT` */
  readonly target: string;
  /** As iptables would be told: `-t raw -A PREROUTING -d 10.5.1.2/32 ! -i docker0 -j DROP`, or a chain's policy. */
  readonly rule: string;
  /** The rule of the chain at which the way began, by which the packets came here; undefined for its policy. */
  readonly entry: string | undefined;
}

/** Chains that call each other are refused by the kernel; this only bounds what a wrong text may cost. */
const MOST_NESTED = 30;

/**
 * Follows a flow through a chain and returns what is done to it on the way, or to some of it. It ends at the first
 * rule that decides over all of the flow. Rules that cannot be understood are passed over.
 */
export function trace(ruleset: Ruleset, table: string, chain: string, flow: Flow): readonly Hit[] {
  return new Walk(ruleset, table, flow).from(chain);
}

class Walk {
  readonly #ruleset: Ruleset;
  readonly #table: string;
  readonly #flow: Flow;
  readonly #hits: Hit[] = [];

  constructor(ruleset: Ruleset, table: string, flow: Flow) {
    this.#ruleset = ruleset;
    this.#table = table;
    this.#flow = flow;
  }

  from(chain: string): readonly Hit[] {
    if (!this.#through(chain, undefined, 0)) this.#applyPolicy(chain);
    return this.#hits;
  }

  /** Whether a rule decided over the whole flow. */
  #through(chain: string, entry: string | undefined, depth: number): boolean {
    if (depth > MOST_NESTED) return false;
    for (const rule of rulesOf(this.#ruleset, this.#table, chain)) {
      const { extent, target, isGoto } = match(rule, this.#flow);
      if (extent === 'none' || extent === 'unknown') continue;
      const whole = extent === 'all';
      const from = entry ?? rule;
      if (target === 'RETURN') {
        if (whole) return false;
      } else if (target === 'ACCEPT') {
        if (whole) return true;
      } else if (DECIDING.has(target)) {
        this.#hits.push({ target, rule: `-t ${this.#table} -A ${chain} ${rule}`, entry: from });
        if (whole) return true;
      } else if (this.#ruleset.get(this.#table)?.has(target)) {
        if (this.#through(target, from, depth + 1) && whole) return true;
        if (isGoto && whole) return false;
      }
    }
    return false;
  }

  #applyPolicy(chain: string): void {
    if (this.#ruleset.get(this.#table)?.get(chain)?.policy !== 'DROP') return;
    this.#hits.push({ target: 'DROP', rule: `-t ${this.#table} -P ${chain} DROP`, entry: undefined });
  }
}

const DECIDING = new Set(['DROP', 'REJECT', 'MASQUERADE', 'SNAT']);
