/** Whether lease, daemon.json and engine agree on Docker's bridge, and what to do when they do not. */
import type { JsonValue } from '../json.js';
import { equalPrefixes, formatPrefix } from '../net/prefix.js';
import type { BridgeSettings } from './bridge.js';
import { editDaemonJson, parseMembers } from './daemon-json.js';
import { DEFAULT_MTU, type EngineState, hasDirectRouting } from './engine.js';
import type { DockerFlag } from './flags.js';

export interface StatusInput {
  /** Undefined: this host has no subnet. */
  readonly lease: BridgeSettings | undefined;
  /** Of daemon.json; undefined when there is none. */
  readonly text: string | undefined;
  readonly flags: readonly DockerFlag[];
  /** Why the engine does not answer, if it does not. */
  readonly engine: EngineState | string;
  /** How Docker is restarted here. */
  readonly how: string;
}

export interface DockerStatus {
  readonly agrees: boolean;
  /** What to do, or what there is to know: sentences, the first to be seen to first. */
  readonly advice: readonly string[];
  readonly lease: Seen | null;
  readonly file: Seen | null;
  readonly engine: (Seen & { version: string; liveRestore: boolean; containersRunning: number }) | null;
}

export interface Seen {
  readonly bip: string | null;
  readonly mtu: number | null;
}

export function dockerStatus(input: StatusInput): DockerStatus {
  const { lease, text, engine } = input;
  const advice = adviceFor(input);
  return {
    agrees: advice.length === 0,
    advice,
    lease: lease === undefined ? null : { bip: formatPrefix(lease.bip), mtu: lease.mtu },
    file: text === undefined ? null : seenIn(text),
    engine: typeof engine === 'string' ? null : seenOf(engine),
  };
}

function adviceFor({ lease, text, flags, engine, how }: StatusInput): string[] {
  if (lease === undefined) return ['This host has no subnet: start lodend, or see its log.'];
  const allowDirectRouting = typeof engine !== 'string' && hasDirectRouting(engine.version);
  const edit = editDaemonJson(text, { ...lease, allowDirectRouting }, flags);
  if (edit.kind === 'refused') return [`daemon.json cannot follow the lease: ${edit.reason}.`];
  const advice: string[] = [];
  if (edit.kind === 'changed')
    advice.push('daemon.json does not say what the lease does: run lodend with --docker=write or restart.');
  if (typeof engine === 'string') return [...advice, `Docker does not answer: ${engine}.`];
  if (bridgeAgrees(engine, lease)) return advice;
  if (engine.liveRestore && engine.containersRunning > 0)
    return [
      ...advice,
      `Docker has live-restore and ${engine.containersRunning} running containers, and keeps its bridge as it is while they run: stop them all, then restart it (${how}).`,
    ];
  return [...advice, `Docker has not taken over what the lease says: restart it (${how}).`];
}

/** Whether the engine's bridge is as the lease says. */
export function bridgeAgrees({ bridge }: EngineState, { bip, mtu }: BridgeSettings): boolean {
  return bridge?.bip !== undefined && equalPrefixes(bridge.bip, bip) && (bridge.mtu ?? DEFAULT_MTU) === mtu;
}

function seenIn(text: string): Seen {
  const members = parseMembers(text.trim() === '' ? '{}' : text);
  if (typeof members === 'string') return { bip: null, mtu: null };
  const { bip, mtu } = members as Readonly<Record<string, JsonValue | undefined>>;
  return { bip: typeof bip === 'string' ? bip : null, mtu: typeof mtu === 'number' ? mtu : null };
}

function seenOf({ version, bridge, liveRestore, containersRunning }: EngineState) {
  const bip = bridge?.bip === undefined ? null : formatPrefix(bridge.bip);
  return {
    version,
    bip,
    mtu: bridge === undefined ? null : (bridge.mtu ?? DEFAULT_MTU),
    liveRestore,
    containersRunning,
  };
}
