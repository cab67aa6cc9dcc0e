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
import { ahead, type Pass } from './ahead.js';
import type { Block } from './difference.js';
import type { FirewallWish } from './firewall.js';
import type { Flow } from './flow.js';
import { iptablesText } from './iptables-text.js';
import { LODEN_COMMENT } from './ours.js';
import { ACCEPT, type Rule } from './rule.js';
import type { Ruleset } from './ruleset.js';

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
export function dockerBlocks(observed: Ruleset, others: Ruleset, wish: DockerRulesInput): readonly Block[] {
  const { incoming, outgoing } = flowsOf(wish);
  const isHere = hasDocker(others);
  // Docker takes its rules away and brings them back when it starts anew; ours stay for the next.
  const input = { observed, others, keep: isHere };
  const inward = incoming.map((flow) => ({ flow, rule: accept(flow, { inLink: flow.inLink }) }));
  const outward = outgoing.map((flow) => ({ flow, rule: accept(flow, { outLink: flow.outLink }) }));
  const source = ahead({ ...input, table: 'nat', chain: 'POSTROUTING', passes: outward });
  if (!wish.forwardRules) return [source];
  const raw = ahead({ ...input, table: 'raw', chain: 'PREROUTING', passes: inward, concerns: isDockersDrop });
  const user = userBlock([...inward, ...outward]);
  return isHere || wish.dockerExpected ? [user, raw, source] : [raw, source];
}

/** By which Docker 28 and later keep others away from a container's ports: `-d 10.5.1.2/32 ! -i docker0 -j DROP`. */
export function isDockersDrop(rule: string): boolean {
  return /^-d \S+ ! -i \S+ -j DROP$/.test(rule);
}

function userBlock(passes: readonly Pass[]): Block {
  return {
    table: 'filter',
    chain: 'DOCKER-USER',
    rules: passes.map(({ rule }) => rule),
    // Docker ends the chain with it, up to 28.
    before: (rule) => rule === '-j RETURN',
  };
}

/** `link` is the one to other hosts. */
function accept({ source, destination }: Flow, link: Pick<Rule, 'inLink' | 'outLink'>): string {
  return iptablesText({
    source: { network: source.network },
    destination: { network: destination.network },
    ...link,
    verdict: ACCEPT,
    comment: LODEN_COMMENT,
  });
}
