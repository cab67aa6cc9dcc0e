/**
 * The firewall of the network namespace that this process runs in, by its own programs: two or three processes of a
 * few milliseconds to look, one more per flavour that needs a change.
 *
 *   iptables-nft-save ──┐
 *   iptables-legacy-save ─▶ plan: ours into the flavour that has Docker's rules, out of the other ─▶ iptables-restore
 *   nft list table ─────▶ plan: ours if the network's config says nftables, else out ──────────────▶ nft -f
 */
import { setTimeout as delay } from 'node:timers/promises';
import { FirewallError } from '../../errors.js';
import type { Prefix } from '../../net/prefix.js';
import type { Step } from '../difference.js';
import { hasDocker } from '../docker-rules.js';
import { findDrops } from '../find-drops.js';
import type { Drop, Firewall, FirewallReport, FirewallWish } from '../firewall.js';
import { isBeingFilled, planIptables, type TablePlan } from '../iptables-plan.js';
import { NFT_TABLE, planNftables } from '../nftables-plan.js';
import { NOTHING, type Ruleset } from '../ruleset.js';
import { nftablesEvents } from './events.js';
import { type Flavour, findIptables, type Iptables, readRuleset, restore } from './iptables.js';
import { changeNftTable, hasDockerInNftables, type NftTable, readNftTable } from './nftables.js';

/** How long a flanneld that starts may take from emptying a chain to filling it: some twenty processes. */
const FILLING_MS = 400;

/** What is there, and what is to be done about it. */
interface Look {
  readonly iptables: readonly { flavour: Flavour; observed: Ruleset; plans: readonly TablePlan[] }[];
  readonly nft: { observed: NftTable; steps: readonly Step[] } | undefined;
}

export class HostFirewall implements Firewall {
  #iptables: Iptables | undefined;
  /** There is no nft on this host; nobody but loden and flanneld has rules in our table, so once is enough. */
  #nftSeenEmpty = false;

  async apply(wish: FirewallWish, signal: AbortSignal): Promise<FirewallReport> {
    let look = await this.#look(networksOf(wish), wish, signal);
    if (!isDone(look) && look.iptables.some(({ observed }) => isBeingFilled(observed))) {
      await delay(FILLING_MS, undefined, { signal });
      look = await this.#look(networksOf(wish), wish, signal);
    }
    if (isDone(look)) return { added: [], removed: [], drops: await dropsIn(look, wish, signal) };
    await carryOut(look, signal);
    // What drops packets in spite of the new rules the next look shows.
    return { ...changesOf(look), drops: [] };
  }

  async check(wish: FirewallWish, signal: AbortSignal): Promise<FirewallReport> {
    const look = await this.#look(networksOf(wish), wish, signal);
    return { ...changesOf(look), drops: await dropsIn(look, wish, signal) };
  }

  async remove(networks: readonly Prefix[], signal: AbortSignal, mode?: 'look'): Promise<readonly string[]> {
    const look = await this.#look(networks, undefined, signal);
    if (mode !== 'look') await carryOut(look, signal);
    return changesOf(look).removed;
  }

  events(signal: AbortSignal): AsyncIterable<void> {
    return nftablesEvents(signal);
  }

  /** Where there is no iptables there is nothing of ours in it either: only a wish for rules there needs it. */
  async #findIptables(needed: boolean, signal: AbortSignal): Promise<Iptables> {
    try {
      this.#iptables ??= await findIptables(signal);
      return this.#iptables;
    } catch (error) {
      if (needed || !(error instanceof FirewallError)) throw error;
      return { flavours: [], fullyRandom: false };
    }
  }

  /** `wish` undefined: nothing for these networks is to be there. */
  async #look(
    networks: readonly Prefix[],
    wish: FirewallWish | undefined,
    signal: AbortSignal,
  ): Promise<Look> {
    const needed = wish?.manager === 'iptables';
    const { flavours, fullyRandom } = await this.#findIptables(needed, signal);
    const possible = wish && { ...wish, fullyRandom: wish.fullyRandom && fullyRandom };
    const [rulesets, nft] = await Promise.all([
      Promise.all(flavours.map((flavour) => readRuleset(flavour, signal))),
      this.#lookAtNftables(networks, wish, signal),
    ]);
    const withDocker = rulesets.findIndex(hasDocker);
    const chosen = Math.max(withDocker, 0);
    const iptables = flavours.map((flavour, i) => {
      const observed = rulesets[i] ?? NOTHING;
      const plans = planIptables(observed, networks, i === chosen ? possible : undefined);
      return { flavour, observed, plans };
    });
    return { iptables, nft };
  }

  async #lookAtNftables(
    networks: readonly Prefix[],
    wish: FirewallWish | undefined,
    signal: AbortSignal,
  ): Promise<Look['nft']> {
    const wanted = wish?.manager === 'nftables';
    if (!wanted && this.#nftSeenEmpty) return undefined;
    try {
      const observed = await readNftTable(signal);
      const steps = planNftables(observed.table, networks, wish);
      this.#nftSeenEmpty = steps.length === 0;
      return { observed, steps };
    } catch (error) {
      if (wanted || !(error instanceof FirewallError)) throw error;
      this.#nftSeenEmpty = true;
      return undefined;
    }
  }
}

async function carryOut({ iptables, nft }: Look, signal: AbortSignal): Promise<void> {
  for (const { flavour, plans } of iptables) {
    if (plans.length > 0) await restore(flavour, plans, signal);
  }
  if (nft !== undefined && nft.steps.length > 0) await changeNftTable(nft.steps, nft.observed, signal);
}

function networksOf({ network, previousNetwork }: FirewallWish): readonly Prefix[] {
  return previousNetwork === undefined ? [network] : [network, previousNetwork];
}

function isDone({ iptables, nft }: Look): boolean {
  return iptables.every(({ plans }) => plans.length === 0) && (nft?.steps ?? []).length === 0;
}

function changesOf({ iptables, nft }: Look): Pick<FirewallReport, 'added' | 'removed'> {
  const changes = [
    ...iptables.flatMap(({ flavour, plans }) =>
      plans.flatMap(({ table, steps }) =>
        steps.map((step) => ({ step, text: `${flavour} -t ${table} ${iptablesWords(step)}` })),
      ),
    ),
    ...(nft?.steps ?? []).map((step) => ({ step, text: `nft ${nftWords(step)}` })),
  ];
  const texts = (kind: Step['kind']) =>
    changes.filter(({ step }) => step.kind === kind).map(({ text }) => text);
  return { added: texts('insert'), removed: texts('delete') };
}

function iptablesWords(step: Step): string {
  return 'rule' in step ? `${step.kind === 'delete' ? '-D' : '-A'} ${step.chain} ${step.rule}` : step.chain;
}

function nftWords(step: Step): string {
  const verb = step.kind === 'delete' ? 'delete' : 'add';
  return 'rule' in step ? `${verb} rule ${NFT_TABLE} ${step.chain} ${step.rule}` : step.chain;
}

async function dropsIn(
  { iptables }: Look,
  wish: FirewallWish,
  signal: AbortSignal,
): Promise<readonly Drop[]> {
  const drops = iptables.flatMap(({ observed }) => findDrops(observed, wish));
  if (iptables.some(({ observed }) => hasDocker(observed))) return drops;
  return [...drops, ...(await dropsByNftables(signal))];
}

/** An accept of ours would not help: in nftables a packet has to be accepted by every table. */
async function dropsByNftables(signal: AbortSignal): Promise<readonly Drop[]> {
  const found = await hasDockerInNftables(signal).catch((error: unknown) => {
    if (error instanceof FirewallError) return false;
    throw error;
  });
  if (!found) return [];
  return [
    {
      flow: 'between hosts',
      rule: 'nft table ip docker-bridges',
      advice:
        'start dockerd with --firewall-backend=iptables, or with --bridge-accept-fwmark and a rule that sets that mark',
    },
  ];
}
