/**
 * One round: things happen, all at their times and to several parts at once; then everything is mended, the network comes
 * to rest, and is looked at.
 *
 *     traffic   ─────────────────────────────────────────────────────────▶  lost pings, if none may be
 *     events       begin ──── end   begin ─── end                           settle
 *     all along  is a subnet held twice? ────────────────────────────────▶
 *     at rest                                                     whole? foreign things untouched? strays? holdings
 */
import { setTimeout as delay } from 'node:timers/promises';
import { lastLines } from '../src/lab/etcd.js';
import { promisedTwice, untilWhole } from '../src/lab/inspect.js';
import { namespaceNames } from '../src/lab/namespace.js';
import { Traffic } from '../src/lab/traffic.js';
import { waitFor } from '../src/lab/wait.js';
import { together } from '../src/together.js';
import { type Footprint, footprintOf } from './footprint.js';
import type { Rig } from './rig.js';
import { describe, type Event, type Round } from './schedule.js';

export interface RoundReport {
  readonly number: number;
  readonly events: readonly string[];
  /** From when all was mended. Undefined when that was not to be. */
  readonly secondsUntilWhole: number | undefined;
  /** Pings between containers all the while; undefined when some might be lost. */
  readonly pings: { readonly sent: number; readonly lost: number } | undefined;
  /** By host and process, `h1 4711`. */
  readonly footprints: Readonly<Record<string, Footprint>>;
  /** What must not be, a sentence each. */
  readonly violations: readonly string[];
  /** How the daemons' logs end, when the network does not come to rest. */
  readonly logs: string | undefined;
}

/** How long the network may take to rest: what it held for peers whose leases were gone for a while included. */
const PATIENCE_MS = 45_000;
const LOOK_MS = 500;

export async function runRound(rig: Rig, round: Round, signal: AbortSignal): Promise<RoundReport> {
  const violations = new Set<string>();
  const traffic = mayCostPackets(round.events, rig.backend) ? undefined : await Traffic.around(rig.lab.hosts);
  const over = new AbortController();
  const watching = watch(rig, violations, over.signal);
  let secondsUntilWhole: number | undefined;
  let pings: RoundReport['pings'];
  let logs: string | undefined;
  try {
    await together(
      signal,
      round.events.map((event) => (until) => happen(rig, event, until)),
    );
    signal.throwIfAborted();
    await together(
      signal,
      round.events.map(
        ({ disturbance }) =>
          async () =>
            disturbance.settle?.(rig),
      ),
    );
    secondsUntilWhole = await untilWhole(rig.lab, PATIENCE_MS, signal);
  } catch (error) {
    signal.throwIfAborted();
    violations.add((error as Error).message);
    logs = await ends(rig);
  } finally {
    over.abort();
    await watching;
    pings = await traffic?.stop();
  }
  if (pings && pings.lost > 0) violations.add(`${pings.lost} of ${pings.sent} pings were lost`);
  for (const text of await atRest(rig)) violations.add(text);
  const { number } = round;
  const footprints = await footprintsOf(rig);
  const events = round.events.map(describe);
  return { number, events, secondsUntilWhole, pings, footprints, violations: [...violations], logs };
}

/**
 * What happens to etcd costs no packet, nor does a daemon that is away for a moment. Both together may: whose leases are
 * deleted while he is away is rightly taken for gone. Over udp the packets pass through the daemon itself.
 */
export function mayCostPackets(events: readonly Event[], backend: string): boolean {
  if (events.every(({ kind }) => kind.part === 'etcd')) return false;
  if (backend === 'udp') return true;
  return events.some(({ kind, lastsMs }) => kind.part === 'etcd' || kind.costsPackets || lastsMs > 1_000);
}

async function happen(
  rig: Rig,
  { beginsAtMs, lastsMs, disturbance }: Event,
  signal: AbortSignal,
): Promise<void> {
  await delay(beginsAtMs, undefined, { signal });
  await disturbance.begin(rig);
  await delay(lastsMs, undefined, { signal });
  await disturbance.end(rig);
}

async function watch({ lab }: Rig, violations: Set<string>, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    for (const text of await promisedTwice(lab.hosts)) violations.add(text);
    await delay(LOOK_MS, undefined, { signal: over }).catch(() => undefined);
  }
}

async function atRest(rig: Rig): Promise<string[]> {
  const { lab, foreign } = rig;
  const ended = lab.hosts.filter(({ daemon }) => daemon.exit !== undefined);
  const names = (await namespaceNames()).filter((name) => name.startsWith(`loden-${lab.name}-`));
  const expected = 1 + 2 * lab.hosts.length + lab.cluster.members.length;
  return [
    ...ended.map(({ name, daemon }) => `${name}: lodend ended by itself: ${JSON.stringify(daemon.exit)}`),
    ...(names.length === expected ? [] : [`there are ${names.length} namespaces, not ${expected}`]),
    ...(await foreign.changes(lab.hosts)),
    ...(await strays(rig)),
  ];
}

/** Processes in a host besides its daemon, that do not end. */
async function strays({ lab }: Rig): Promise<string[]> {
  let found: string[] = [];
  const look = async () => {
    const perHost = lab.hosts.map(async ({ name, namespace, daemon }) => {
      const others = (await namespace.processes()).filter((pid) => pid !== daemon.pid);
      return others.map((pid) => `${name}: process ${pid} is left`);
    });
    found = (await Promise.all(perHost)).flat();
    return found.length === 0;
  };
  await waitFor('only daemons', look, { deadlineMs: 5_000 }).catch(() => undefined);
  return found;
}

async function footprintsOf({ lab }: Rig): Promise<Record<string, Footprint>> {
  const entries = lab.hosts.map(async ({ name, daemon: { pid } }) => {
    const footprint = pid === undefined ? undefined : await footprintOf(pid);
    return footprint === undefined ? [] : [[`${name} ${pid}`, footprint] as const];
  });
  return Object.fromEntries((await Promise.all(entries)).flat());
}

async function ends({ lab }: Rig): Promise<string> {
  const logs = lab.hosts.map(async ({ name, daemon }) => `${name}:\n${lastLines(await daemon.log(), 12)}`);
  return (await Promise.all(logs)).join('\n');
}
