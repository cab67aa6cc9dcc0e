import { flowsOf, isDockersDrop } from './docker-rules.js';
import type { Drop, FirewallWish } from './firewall.js';
import type { Flow } from './flow.js';
import type { Ruleset } from './ruleset.js';
import { type Hit, trace } from './trace.js';

/** Where a packet passes on its way through a host, in this order, and where iptables may drop it. */
const HOOKS = [
  ['raw', 'PREROUTING'],
  ['mangle', 'PREROUTING'],
  ['mangle', 'FORWARD'],
  ['filter', 'FORWARD'],
] as const;

/** The rules that drop packets between containers of different hosts, each once, and what to do about them. */
export function findDrops(
  ruleset: Ruleset,
  wish: Pick<FirewallWish, 'network' | 'subnet' | 'links' | 'bridge' | 'forwardRules'>,
): readonly Drop[] {
  const { incoming, outgoing } = flowsOf(wish);
  const drops = new Map<string, Drop>();
  for (const flow of [...incoming, ...outgoing]) {
    for (const hit of hitsOn(ruleset, flow)) {
      const advice = adviceOn(hit, wish.forwardRules);
      if (!drops.has(hit.rule))
        drops.set(hit.rule, { flow: flow.name, rule: `iptables ${hit.rule}`, advice });
    }
  }
  return [...drops.values()];
}

function hitsOn(ruleset: Ruleset, flow: Flow): Hit[] {
  return HOOKS.flatMap(([table, chain]) => [...trace(ruleset, table, chain, flow)]);
}

function adviceOn({ rule }: Hit, forwardRules: boolean): string {
  if (!forwardRules) return 'drop --iptables-forward-rules=false, or accept these packets ahead of that rule';
  if (isDockersDrop(rule.replace('-t raw -A PREROUTING ', '')))
    return 'set "allow-direct-routing": true in Docker\'s daemon.json and restart Docker';
  return 'remove that rule, or accept these packets ahead of it';
}
