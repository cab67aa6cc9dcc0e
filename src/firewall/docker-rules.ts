/**
 * What Docker's own rules do to packets between containers on different hosts, and the rules of ours against it.
 *
 *   in from a peer      raw PREROUTING   28 and later: to a container's address, not through its bridge  ▶ DROP
 *                       filter FORWARD   policy DROP; 28 and later: DOCKER, not from its bridge         ▶ DROP
 *   out to a peer       filter FORWARD   policy DROP
 *                       nat POSTROUTING  from the bridge's subnet, not to the bridge                    ▶ MASQUERADE
 *
 * DOCKER-USER is the chain that Docker leaves to others: it comes before all of Docker's own in FORWARD, also after
 * Docker has started again. Ours there stand behind what the operator has put there. In the other two tables ours
 * have to stand before Docker's, so that is looked for: with `ip-masq` off or `allow-direct-routing` on in
 * daemon.json there is nothing to stand before, and no rule of ours.
 */
import type { Block } from './difference.js';
import type { FirewallWish } from './firewall.js';
import type { Flow } from './flow.js';
import { iptablesText } from './iptables-text.js';
import { LODEN_COMMENT } from './ours.js';
import { ACCEPT } from './rule.js';
import { type Ruleset, rulesOf } from './ruleset.js';
import { trace } from './trace.js';

export type DockerRulesInput = Pick<
  FirewallWish,
  'network' | 'subnet' | 'links' | 'bridge' | 'forwardRules' | 'dockerExpected'
>;

/** Whether Docker has its chains in these tables. */
export function hasDocker(ruleset: Ruleset): boolean {
  return ['filter', 'nat'].some((table) => ruleset.get(table)?.has('DOCKER'));
}

export function flowsOf({
  network,
  subnet,
  links,
  bridge,
}: Pick<FirewallWish, 'network' | 'subnet' | 'links' | 'bridge'>): {
  readonly incoming: readonly Flow[];
  readonly outgoing: readonly Flow[];
} {
  const incoming = (link: string): Flow => ({
    name: `from ${link} to containers of this host`,
    source: { network, except: subnet },
    destination: { network: subnet },
    inLink: link,
    outLink: bridge,
  });
  const outgoing = (link: string): Flow => ({
    name: `from containers of this host to ${link}`,
    source: { network: subnet },
    destination: { network, except: subnet },
    inLink: bridge,
    outLink: link,
  });
  return { incoming: links.map(incoming), outgoing: links.map(outgoing) };
}

/** `observed` are all rules that are there, `others` those of them that are not ours. */
export function dockerBlocks(observed: Ruleset, others: Ruleset, input: DockerRulesInput): readonly Block[] {
  const { incoming, outgoing } = flowsOf(input);
  const isHere = hasDocker(others);
  const blocks: Block[] = [];
  if (input.forwardRules && (isHere || input.dockerExpected)) blocks.push(userBlock(incoming, outgoing));
  const ahead = (table: string, chain: string, rules: readonly AheadRule[]) => {
    const before = harmfulRules(others, table, chain, rules);
    const there = rulesOf(observed, table, chain);
    const needed = rules.filter(({ flow, rule }) => before.has(flow) || (isHere && there.includes(rule)));
    const entries = new Set([...before.values()].flat());
    const texts = needed.map(({ rule }) => rule);
    blocks.push({ table, chain, rules: texts, before: (rule) => entries.has(rule) });
  };
  if (input.forwardRules) {
    ahead('raw', 'PREROUTING', incoming.map((flow) => ({ flow, rule: acceptIncoming(flow) })));
  }
  ahead('nat', 'POSTROUTING', outgoing.map((flow) => ({ flow, rule: acceptOutgoing(flow) })));
  return blocks;
}

/** A rule that has to stand ahead of those that drop or rewrite its flow. Once there it stays as long as Docker does: Docker takes its own away and brings them back when it starts anew. */
interface AheadRule {
  readonly flow: Flow;
  readonly rule: string;
}

/** By flow, the rules of the chain by which something is done to it. */
function harmfulRules(
  others: Ruleset,
  table: string,
  chain: string,
  rules: readonly AheadRule[],
): ReadonlyMap<Flow, readonly string[]> {
  const harmful = new Map<Flow, readonly string[]>();
  for (const { flow } of rules) {
    const entries = trace(others, table, chain, flow).flatMap(({ entry }) => entry ?? []);
    if (entries.length > 0) harmful.set(flow, entries);
  }
  return harmful;
}

function userBlock(incoming: readonly Flow[], outgoing: readonly Flow[]): Block {
  return {
    table: 'filter',
    chain: 'DOCKER-USER',
    rules: [...incoming.map(acceptIncoming), ...outgoing.map(acceptOutgoing)],
    // Docker ends the chain with it, up to 28.
    before: (rule) => rule === '-j RETURN',
  };
}

function acceptIncoming({ source, destination, inLink }: Flow): string {
  return iptablesText({
    source: { network: source.network },
    destination: { network: destination.network },
    inLink,
    verdict: ACCEPT,
    comment: LODEN_COMMENT,
  });
}

function acceptOutgoing({ source, destination, outLink }: Flow): string {
  return iptablesText({
    source: { network: source.network },
    destination: { network: destination.network },
    outLink,
    verdict: ACCEPT,
    comment: LODEN_COMMENT,
  });
}
