/**
 * The network config that all hosts share, flannel's JSON (pkg/subnet/config.go):
 *
 *     { "Network": "10.5.0.0/16", "SubnetLen": 24, "Backend": { "Type": "vxlan", "VNI": 1 } }
 *
 * What flannel accepts is accepted with the same meaning, so that one network can have hosts of both kinds; what
 * would only fail later (no subnet between SubnetMin and SubnetMax, IPv6) is refused here.
 */
import { ConfigError } from '../errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.js';
import { formatIpv4, type Ipv4, parseIpv4 } from '../net/ipv4.js';
import { formatIpv6, parseIpv6 } from '../net/ipv6.js';
import type { Prefix } from '../net/prefix.js';
import { Fields, unknownFieldWarnings } from './fields.js';
import { checkPool, type PoolFamily, readPoolFields } from './pool.js';

/** flannel's network config, checked, with its defaults filled in. */
export interface NetworkConfig {
  /** The pool. */
  readonly network: Prefix;
  readonly subnetLength: number;
  /** Base addresses of the first and the last subnet that may be leased. */
  readonly subnetMin: Ipv4;
  readonly subnetMax: Ipv4;
  readonly enableNftables: boolean;
  readonly backend: BackendJson;
}

/** The `Backend` object of the network config. Its `type` is in lower case, as it is looked up. */
export type BackendJson = Fields & { readonly type: string };

export interface ParsedNetworkConfig {
  readonly config: NetworkConfig;
  /** One sentence for each key that is not known. Those of `Backend`: `backendWarnings`, once its options are read. */
  readonly warnings: readonly string[];
}

const ipv4: PoolFamily = {
  bits: 32,
  prefix: '',
  usualSubnetLength: 24,
  longestSubnet: 30,
  example: '10.5.0.0/16',
  parse: (text) => {
    const address = parseIpv4(text);
    return address === undefined ? undefined : BigInt(address);
  },
  format: (address) => formatIpv4(Number(address)),
};

const ipv6: PoolFamily = {
  bits: 128,
  prefix: 'IPv6',
  usualSubnetLength: 64,
  longestSubnet: 126,
  example: 'fd00:5::/48',
  parse: parseIpv6,
  format: formatIpv6,
};

/** `source` says where the text is from, for messages. Throws ConfigError and nothing else. */
export function parseNetworkConfig(text: string, source: string): ParsedNetworkConfig {
  try {
    const fields = new Fields(parseObject(text));
    const config = readNetworkConfig(fields);
    return { config, warnings: unknownFieldWarnings(fields) };
  } catch (error) {
    if (error instanceof ConfigError) error.source = source;
    throw error;
  }
}

/** Warnings for the fields of `Backend` that the backend, having read its options, did not ask for. */
export function backendWarnings(backend: BackendJson): readonly string[] {
  return unknownFieldWarnings(backend, 'Backend.');
}

function readNetworkConfig(fields: Fields): NetworkConfig {
  const pool = readPoolFields(fields, ipv4);
  const poolV6 = readPoolFields(fields, ipv6);
  const enableIpv4 = fields.boolean('EnableIPv4', true);
  const enableIpv6 = fields.boolean('EnableIPv6', false);
  const enableNftables = fields.boolean('EnableNFTables', false);
  const backend = readBackend(fields);
  if (enableIpv6) {
    if (poolV6.network) checkPool(fields, poolV6, ipv6);
    fields.refuse('EnableIPv6', 'false', 'IPv6 networks are not supported yet');
  }
  if (!enableIpv4) fields.refuse('EnableIPv4', 'true', 'a network without IPv4 is not possible with etcd');
  const checked = checkPool(fields, pool, ipv4);
  return {
    network: { address: Number(checked.address), length: checked.length },
    subnetLength: checked.subnetLength,
    subnetMin: Number(checked.subnetMin),
    subnetMax: Number(checked.subnetMax),
    enableNftables,
    backend,
  };
}

function readBackend(fields: Fields): BackendJson {
  const value = fields.field('Backend');
  // flannel's code takes udp here, whatever its documentation says of vxlan.
  if (value === undefined) return backendJson({ Type: 'udp' });
  if (!isJsonObject(value)) return fields.refuse('Backend', 'an object such as {"Type": "vxlan"}');
  return backendJson(value);
}

/** The `Backend` object; throws ConfigError when it has no usable `Type`. */
export function backendJson(object: JsonObject): BackendJson {
  const fields = new Fields(object, 'Backend.');
  const type = fields.text('Type')?.toLowerCase();
  if (!type) return fields.refuse('Type', 'the name of a backend such as "vxlan"', 'unknown backend type');
  return Object.assign(fields, { type });
}

function parseObject(text: string): JsonObject {
  const example = 'accepted is an object such as {"Network": "10.5.0.0/16", "Backend": {"Type": "vxlan"}}';
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('', `the network config is not JSON: ${detail}; ${example}`, {
      cause,
      value: text,
    });
  }
  if (!isJsonObject(value))
    throw new ConfigError('', `the network config is not an object: ${example}`, { value });
  return value;
}
