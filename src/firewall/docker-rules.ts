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
import type { Ruleset } from './ruleset.js';
import { type Hit, trace } from './trace.js';

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

/** `others` are the rules that are there without those of ours. */
export function dockerBlocks(others: Ruleset, input: DockerRulesInput): readonly Block[] {
  const { incoming, outgoing } = flowsOf(input);
  return [
    ...(input.forwardRules && (input.dockerExpected || hasDocker(others))
      ? [userBlock(incoming, outgoing)]
      : []),
    ...(input.forwardRules ? before(others, 'raw', 'PREROUTING', incoming) : []),
    ...before(others, 'nat', 'POSTROUTING', outgoing),
  ];
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

/** Accepts the flows ahead of the rules that would drop or rewrite them; no block when there are none. */
function before(others: Ruleset, table: 'raw' | 'nat', chain: string, flows: readonly Flow[]): Block[] {
  const harmed = flows.filter((flow) => trace(others, table, chain, flow).length > 0);
  if (harmed.length === 0) return [];
  const entries = new Set(
    harmed.flatMap((flow) => trace(others, table, chain, flow)).map(({ entry }: Hit) => entry),
  );
  return [
    {
      table,
      chain,
      rules: harmed.map(table === 'raw' ? acceptIncoming : acceptOutgoing),
      before: (rule) => entries.has(rule),
    },
  ];
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
