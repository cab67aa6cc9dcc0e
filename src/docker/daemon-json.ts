/**
 * Docker's daemon.json with the settings of our lease in it: a pure function from text to text. Only the members that
 * are ours change. Whatever dockerd would not start with, or would not follow, is refused with the reason, because an
 * engine that does not come up again is worse than one on another subnet.
 */
import { isJsonObject, type JsonObject, type JsonValue, shown } from '../json.js';
import { parseIpv4 } from '../net/ipv4.js';
import { contains, formatPrefix, masked, parsePrefix } from '../net/prefix.js';
import { type BridgeSettings, bipFault } from './bridge.js';
import type { DockerFlag } from './flags.js';
import { setMembers } from './json-members.js';

export type DaemonJsonEdit =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed'; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** `text` as in the file, undefined when there is none. `flags`: those that dockerd is started with. */
export function editDaemonJson(
  text: string | undefined,
  settings: BridgeSettings,
  flags: readonly DockerFlag[] = [],
): DaemonJsonEdit {
  // dockerd takes an empty file for an empty object.
  const isEmpty = text === undefined || /^[ \t\r\n]*$/.test(text);
  const present = isEmpty ? '{}\n' : text;
  const members = parseMembers(present);
  if (typeof members === 'string') return { kind: 'refused', reason: members };
  const ours = membersOf(settings, flags);
  const reason = conflict(members, settings, flags, Object.keys(ours));
  if (reason !== undefined) return { kind: 'refused', reason };
  try {
    const edited = setMembers(present, ours);
    return edited === text ? { kind: 'unchanged' } : { kind: 'changed', text: edited };
  } catch (error) {
    // The stack ends at some thousand lists, one inside the other.
    if (!(error instanceof RangeError)) throw error;
    return { kind: 'refused', reason: 'it is nested too deeply' };
  }
}

/** The object in the file. A sentence that says what is wrong when there is none. */
export function parseMembers(text: string): JsonObject | string {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    return `it is not JSON: ${(error as Error).message}`;
  }
  return isJsonObject(value) ? value : 'it is JSON, but not an object';
}

function membersOf(settings: BridgeSettings, flags: readonly DockerFlag[]): JsonObject {
  const asFlag = flags.some(({ name }) => name === 'allow-direct-routing');
  return {
    bip: formatPrefix(settings.bip),
    mtu: settings.mtu,
    'ip-masq': settings.ipMasq,
    ...(settings.allowDirectRouting && !asFlag ? { 'allow-direct-routing': true } : {}),
  };
}

/** Members and flags that may not go with ours. */
const EXCLUDING: readonly string[] = ['bridge', 'fixed-cidr', 'default-gateway'];

function conflict(
  members: JsonObject,
  { bip }: BridgeSettings,
  flags: readonly DockerFlag[],
  ours: readonly string[],
): string | undefined {
  const fault = bipFault(bip);
  if (fault !== undefined) return `the lease does not fit a bridge: ${fault}`;
  const twice = flags.find(({ name }) => ours.includes(name));
  if (twice !== undefined) {
    return `dockerd gets --${twice.name} as a flag too (${twice.source}), and refuses to start with both: remove the flag`;
  }
  for (const { name, value, source } of [...given(members), ...flags]) {
    if (!EXCLUDING.includes(name) || value === '' || value === null) continue;
    const setting = `${name} ${typeof value === 'string' ? value : shown(value)} (${source})`;
    if (name === 'bridge') return `${setting} is set, which excludes bip: remove it`;
    if (!isInside(value, bip))
      return `${setting} is not inside the leased subnet ${formatPrefix(masked(bip))}: remove or change it`;
  }
  return undefined;
}

function given(members: JsonObject): { name: string; value: JsonValue; source: string }[] {
  return Object.entries(members).map(([name, value]) => ({ name, value, source: 'in the file' }));
}

function isInside(value: JsonValue, bip: BridgeSettings['bip']): boolean {
  if (typeof value !== 'string') return false;
  const inner = parsePrefix(value) ?? parseIpv4(value);
  return inner !== undefined && contains(bip, inner);
}
