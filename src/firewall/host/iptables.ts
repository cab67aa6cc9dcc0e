/**
 * The iptables on this host: up to two flavours of it at once, over nftables and over the kernel's older tables, whose
 * rules both count. Docker has its rules in one of them, and ours must be in the same.
 */
import type { TablePlan } from '../iptables-plan.js';
import { iptablesRestoreText } from '../iptables-restore.js';
import { parseIptablesSave, type Ruleset } from '../ruleset.js';
import { isInstalled, run } from './run.js';

/** The names of its programs begin with this: `iptables-nft`, `iptables-legacy`; `iptables` where there is but one. */
export type Flavour = string;

export interface Iptables {
  /** What `iptables` is comes first. Never empty. */
  readonly flavours: readonly Flavour[];
  /** Whether it knows `--random-fully`. */
  readonly fullyRandom: boolean;
}

const BOTH: readonly Flavour[] = ['iptables-nft', 'iptables-legacy'];

/** Throws FirewallError when there is none. */
export async function findIptables(signal: AbortSignal): Promise<Iptables> {
  const [version, ...there] = await Promise.all([
    run(['iptables', '--version'], signal),
    ...BOTH.map((flavour) => isInstalled(`${flavour}-save`)),
  ]);
  const found = BOTH.filter((_, i) => there[i]);
  const flavours = version.includes('nf_tables') ? found : found.toReversed();
  return {
    flavours: flavours.length > 0 ? flavours : ['iptables'],
    fullyRandom: isSince(version, [1, 6, 2]),
  };
}

/** `iptables v1.8.9 (nf_tables)` */
function isSince(version: string, least: readonly number[]): boolean {
  const numbers = (/v(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  const at = numbers.findIndex((number, i) => number !== least[i]);
  return numbers.length > 0 && (at < 0 || numbers[at]! > least[at]!);
}

/** All tables that there are, in one process. */
export async function readRuleset(flavour: Flavour, signal: AbortSignal): Promise<Ruleset> {
  return parseIptablesSave(await run([`${flavour}-save`], signal));
}

export async function restore(
  flavour: Flavour,
  plans: readonly TablePlan[],
  signal: AbortSignal,
): Promise<void> {
  await run([`${flavour}-restore`, '--noflush', '--wait'], signal, iptablesRestoreText(plans));
}
