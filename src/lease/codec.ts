/**
 * Leases as flannel has them in etcd, byte for byte, so that its hosts read ours and we read theirs:
 *
 *     <prefix>/subnets/10.5.34.0-24                        (pkg/subnet/subnet.go, MakeSubnetKey)
 *     <prefix>/subnets/10.5.34.0-24&fd00:5:34::-64         dual-stack
 *     {"PublicIP":"192.0.2.7","PublicIPv6":null,"BackendType":"vxlan","BackendData":{…}}   (pkg/lease/lease.go)
 *
 * Values are written as Go's encoding/json does: fields in the struct's order, empty ones left out where flannel says
 * `omitempty`, `<`, `>`, `&` and the two Unicode line separators escaped. They are read as Go reads them: a field's
 * name matches whatever its case, the last of several wins, unknown fields are ignored. Fields of ours come last.
 *
 * What cannot be read is a reason in words and never an exception: anybody may write to these keys.
 */
import { posix } from 'node:path';
import { isJsonObject, type JsonValue, shown } from '../json.js';
import { parseIpv4 } from '../net/ipv4.js';
import { parseIpv6 } from '../net/ipv6.js';
import { formatPrefix, type Prefix } from '../net/prefix.js';
import type { Lease, LeaseAttributes } from './lease.js';
import type { LeaseKey } from './store.js';

/** Either what was read, or why it could not be. */
export type Decoded<T> = { readonly value: T } | { readonly reason: string };

/** A value, short enough for a log line. */
const SHOWN_LENGTH = 60;

/** Some 300 characters are usual. etcd takes 1.5 MB; of such values ten thousand would not fit into memory. */
const LONGEST = 10_000;

/** What backends say of themselves is flat. Nested some thousand times, a value overflows the stack of who prints it. */
const DEEPEST = 32;

/** A length has one spelling only: with `-024` beside `-24` two keys would be one subnet's. */
const KEY = /^(\d+\.\d+\.\d+\.\d+)-(0|[1-9]\d*)(?:&([a-f\d:]+)-(0|[1-9]\d*))?$/;

/** Where flannel has the network config, given its `--etcd-prefix`. Cleaned as by Go's path.Join. */
export function configPath(etcdPrefix: string): string {
  return posix.join(etcdPrefix, 'config');
}

/** What every lease key begins with. flannel lists by this, without a slash at its end. */
export function subnetsPath(etcdPrefix: string): string {
  return posix.join(etcdPrefix, 'subnets');
}

export function leasePath(etcdPrefix: string, key: LeaseKey): string {
  return `${subnetsPath(etcdPrefix)}/${key}`;
}

export function leaseKey(lease: Pick<Lease, 'subnet' | 'subnetV6'>): LeaseKey {
  const dashed = formatPrefix(lease.subnet).replace('/', '-');
  return lease.subnetV6 === undefined ? dashed : `${dashed}&${lease.subnetV6.replace('/', '-')}`;
}

/**
 * Reads what stands after `<prefix>/subnets/`. Host bits are kept. As in flannel an IPv4 length has five bits and an
 * IPv6 length seven. flannel would also take a key with anything before the address; such a key is no one's lease.
 */
export function parseLeaseKey(key: string): Pick<Lease, 'subnet' | 'subnetV6'> | undefined {
  const match = KEY.exec(key);
  if (!match) return undefined;
  const [, addressText, lengthText, addressV6, lengthV6] = match;
  const address = parseIpv4(addressText!);
  const length = Number(lengthText);
  if (address === undefined || length > 31) return undefined;
  const subnet: Prefix = { address, length };
  if (addressV6 === undefined) return { subnet };
  if (parseIpv6(addressV6) === undefined || Number(lengthV6) > 127) return undefined;
  return { subnet, subnetV6: `${addressV6}/${lengthV6}` };
}

export function encodeAttributes(attributes: LeaseAttributes): string {
  return goJson({
    PublicIP: attributes.publicIp,
    PublicIPv6: attributes.publicIpV6,
    BackendType: attributes.backendType || undefined,
    BackendData: attributes.backendData,
    BackendV6Data: attributes.backendV6Data,
    LodenIdentity: attributes.identity,
    LodenBoot: attributes.boot,
    LodenChallenge: attributes.challenge,
  });
}

/** JSON.stringify, which leaves out what is undefined, and the escapes that Go adds for the sake of HTML. */
function goJson(fields: Readonly<Record<string, JsonValue | undefined>>): string {
  return JSON.stringify(fields).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function decodeAttributes(text: string): Decoded<LeaseAttributes> {
  if (text.length > LONGEST) return { reason: `the value has ${text.length} characters` };
  const fields = parseObject(text);
  if (!fields) return { reason: `the value ${shown(text, SHOWN_LENGTH)} is not a JSON object` };
  if (isDeeperThan(DEEPEST, [...fields.values()])) return { reason: 'the value is nested too deep' };

  // Go's zero value: a lease without the field reads as 0.0.0.0.
  const publicIp = fields.has('publicip') ? fields.get('publicip') : '0.0.0.0';
  if (typeof publicIp !== 'string' || parseIpv4(publicIp) === undefined)
    return { reason: `PublicIP ${shown(publicIp, SHOWN_LENGTH)} is not an IPv4 address` };

  const publicIpV6 = fields.get('publicipv6') ?? null;
  if (publicIpV6 !== null && (typeof publicIpV6 !== 'string' || parseIpv6(publicIpV6) === undefined))
    return { reason: `PublicIPv6 ${shown(publicIpV6, SHOWN_LENGTH)} is not an IPv6 address` };

  const backendType = fields.get('backendtype') ?? '';
  if (typeof backendType !== 'string')
    return { reason: `BackendType ${shown(backendType, SHOWN_LENGTH)} is not a string` };

  const backendData = fields.get('backenddata');
  const backendV6Data = fields.get('backendv6data');
  return {
    value: {
      publicIp,
      publicIpV6,
      backendType,
      ...(backendData !== undefined && { backendData }),
      ...(backendV6Data !== undefined && { backendV6Data }),
      ...fieldsOfOurs(fields),
    },
  };
}

function fieldsOfOurs(
  fields: ReadonlyMap<string, JsonValue>,
): Pick<LeaseAttributes, 'identity' | 'boot' | 'challenge'> {
  const identity = fields.get('lodenidentity');
  const boot = fields.get('lodenboot');
  const challenge = fields.get('lodenchallenge');
  return {
    ...(typeof identity === 'string' && { identity }),
    ...(typeof boot === 'string' && { boot }),
    ...(typeof challenge === 'string' && { challenge }),
  };
}

function isDeeperThan(levels: number, value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels < 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

function parseObject(text: string): Map<string, JsonValue> | undefined {
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(parsed)) return undefined;
  return new Map(Object.entries(parsed).map(([name, value]) => [name.toLowerCase(), value]));
}
