/**
 * What an engine's HTTP API answers, as far as it is read here (docs.docker.com/reference/api/engine). Undefined when
 * it is not what the API promises.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../json.js';
import { parseIpv4 } from '../net/ipv4.js';
import { type Prefix, parsePrefix } from '../net/prefix.js';
import type { EngineBridge, EngineState } from './engine.js';

/** Of `/version`. */
export function versionIn(answer: JsonValue): string | undefined {
  const { Version } = objectOr(answer);
  return typeof Version === 'string' ? Version : undefined;
}

/** Of `/info`. */
export function infoIn(
  answer: JsonValue,
): Pick<EngineState, 'liveRestore' | 'containersRunning'> | undefined {
  const { LiveRestoreEnabled: liveRestore, ContainersRunning: containersRunning } = objectOr(answer);
  if (typeof liveRestore !== 'boolean' || typeof containersRunning !== 'number') return undefined;
  if (!Number.isInteger(containersRunning) || containersRunning < 0) return undefined;
  return { liveRestore, containersRunning };
}

/** Of `/networks/bridge`. */
export function bridgeIn(answer: JsonValue): EngineBridge | undefined {
  if (!isJsonObject(answer)) return undefined;
  const { Config } = objectOr(answer.IPAM);
  const mtu = Number(objectOr(answer.Options)['com.docker.network.driver.mtu']);
  const bips = Array.isArray(Config) ? Config.map(bipIn) : [];
  return { bip: bips.find((bip) => bip !== undefined), mtu: mtu > 0 ? mtu : undefined };
}

/** Undefined for an IPv6 network, too. */
function bipIn(pair: JsonValue): Prefix | undefined {
  const { Subnet, Gateway } = objectOr(pair);
  if (typeof Subnet !== 'string' || typeof Gateway !== 'string') return undefined;
  const [subnet, address] = [parsePrefix(Subnet), parseIpv4(Gateway)];
  return subnet && address !== undefined ? { address, length: subnet.length } : undefined;
}

function objectOr(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
