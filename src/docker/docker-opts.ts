/**
 * The leased subnet as flags of dockerd in a file of variables, as flannel's mk-docker-opts.sh writes it, for units
 * that hand `$DOCKER_OPTS` to dockerd. Without that script's two faults: its own help text never gets into the file,
 * and the subnet file's name may be any.
 */
import { CommandError } from '../errors.js';
import { parseIpv4 } from '../net/ipv4.js';
import { equalPrefixes, type Prefix, parsePrefix } from '../net/prefix.js';
import type { Assignments } from './assignments.js';

export interface DockerOptsRequest {
  /** The environment with the subnet file's lines over it, as a shell has them that sources the file. */
  readonly variables: Assignments;
  /** A variable for each option. */
  readonly individual: boolean;
  /** One variable with all of them; both when neither is asked for. */
  readonly combined: boolean;
  /** Whether to tell dockerd if it has to masquerade. */
  readonly ipMasq: boolean;
  /** The name of the combined variable. What it held before comes first in it. */
  readonly key: string;
}

/** The file's lines. Throws CommandError when FLANNEL_IPMASQ is no boolean. */
export function formatDockerOpts(request: DockerOptsRequest): string {
  const { variables, key } = request;
  const options = [...optionVariables(request)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const both = !request.individual && !request.combined;
  const lines: string[] = [];
  if (request.individual || both) lines.push(...options.map(([name, value]) => `${name}="${value}"`));
  if (request.combined || both) {
    const before = variables.get(key);
    const values = options.map(([, value]) => ` ${value}`).join('');
    lines.push(`${key}="${before ? `${before} ` : ''}${values}"`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** `DOCKER_OPT_…`: those that were there, and ours. */
function optionVariables({ variables, ipMasq }: DockerOptsRequest): Map<string, string> {
  const options = new Map([...variables].filter(([name]) => name.startsWith('DOCKER_OPT_')));
  const subnet = variables.get('FLANNEL_SUBNET');
  const mtu = variables.get('FLANNEL_MTU');
  const masquerades = variables.get('FLANNEL_IPMASQ');
  if (subnet) options.set('DOCKER_OPT_BIP', `--bip=${subnet}`);
  if (mtu) options.set('DOCKER_OPT_MTU', `--mtu=${mtu}`);
  if (masquerades && ipMasq) {
    if (!/^(true|false)$/.test(masquerades))
      throw new CommandError(`Invalid value of FLANNEL_IPMASQ: ${masquerades}`);
    // One of flannel and Docker does it.
    options.set('DOCKER_OPT_IPMASQ', `--ip-masq=${masquerades === 'false'}`);
  }
  return options;
}

/**
 * The subnet that dockerd would be given, if packets to it already leave by a gateway. `routes` is /proc/net/route
 * (proc_net(5)): addresses in hex, in this machine's byte order, which is little-endian wherever loden runs.
 */
export function routedElsewhere(variables: Assignments, routes: string): Prefix | undefined {
  const bridge = parsePrefix(variables.get('FLANNEL_SUBNET') ?? '');
  if (bridge === undefined) return undefined;
  const subnet = { address: bridge.address - 1, length: bridge.length };
  const found = routes.split('\n').some((line) => {
    const [, destination = '', gateway = '', , , , , mask = ''] = line.split('\t');
    if (Number.parseInt(gateway, 16) === 0) return false;
    const address = littleEndian(destination);
    const length = littleEndian(mask)?.toString(2).replaceAll('0', '').length;
    return address !== undefined && length !== undefined && equalPrefixes({ address, length }, subnet);
  });
  return found ? subnet : undefined;
}

function littleEndian(hex: string): number | undefined {
  const octets = /^(..)(..)(..)(..)$/
    .exec(hex.trim())
    ?.slice(1)
    .map((octet) => Number.parseInt(octet, 16));
  return octets && parseIpv4(octets.toReversed().join('.'));
}
