/**
 * The subnet file, flannel's `subnet.env`: what this host got, for Docker's set-up to read, and for the daemon itself
 * to find its subnet again. Readers source it as shell or take it as systemd's EnvironmentFile.
 */
import { readRegular } from '../files/read-regular.js';
import { errnoOf, writeWhole } from '../files/write-whole.js';
import { contains, firstAddress, formatPrefix, masked, type Prefix, parsePrefix } from '../net/prefix.js';

export interface SubnetFile {
  /** The pool. */
  readonly network: Prefix;
  readonly subnet: Prefix;
  /** Bytes. */
  readonly mtu: number;
  readonly ipMasq: boolean;
}

/** What the file told of the last run; nothing in it is to be relied on. */
export interface PreviousSubnet {
  readonly network?: Prefix;
  readonly subnet?: Prefix;
  /** What was there and could not be used, naming file and line. */
  readonly warnings: readonly string[];
}

/** The address that flannel gives the bridge: the subnet's first after its base. */
export function bridgeAddress(subnet: Prefix): Prefix {
  return { address: firstAddress(subnet) + 1, length: subnet.length };
}

/** flannel's lines in flannel's order. The subnet's address is that of the bridge. */
export function formatSubnetFile({ network, subnet, mtu, ipMasq }: SubnetFile): string {
  return [
    `FLANNEL_NETWORK=${formatPrefix(network)}`,
    `FLANNEL_SUBNET=${formatPrefix(bridgeAddress(subnet))}`,
    `FLANNEL_MTU=${mtu}`,
    `FLANNEL_IPMASQ=${ipMasq}`,
    '',
  ].join('\n');
}

/** Throws FileError. */
export async function writeSubnetFile(path: string, content: SubnetFile): Promise<void> {
  await writeWhole(path, formatSubnetFile(content), 0o644);
}

/** Of a file that is something else altogether nobody wants to read every line in the log. */
const MOST_WARNINGS = 3;

/** It has some 100. */
const MOST_BYTES = 1_000_000;

/** Never throws: a missing file is as good as an empty one, an unreadable one costs a warning. */
export async function readSubnetFile(path: string): Promise<PreviousSubnet> {
  try {
    return parseSubnetFile(await readRegular(path, MOST_BYTES), path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { warnings: [] };
    return { warnings: [`cannot read ${path}: ${(error as Error).message}`] };
  }
}

/** Reads what flanneld, loden or a person wrote: quotes, `export` and comments are taken as a shell would. */
export function parseSubnetFile(text: string, path: string): PreviousSubnet {
  const found: { network?: Prefix; subnet?: Prefix } = {};
  const warnings: string[] = [];
  let more = 0;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const ignored = (what: string) => {
      if (warnings.length < MOST_WARNINGS) warnings.push(`${path}:${index + 1}: ${what}, ignored`);
      else more += 1;
    };
    if (/^\s*(#|$)/.test(line)) continue;
    const assignment = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/.exec(line);
    if (!assignment) {
      ignored('not a line of the form NAME=value');
      continue;
    }
    const [, name, value] = assignment;
    if (name !== 'FLANNEL_NETWORK' && name !== 'FLANNEL_SUBNET') continue;
    const prefix = singlePrefix(unquoted(value!));
    if (prefix) found[name === 'FLANNEL_NETWORK' ? 'network' : 'subnet'] = prefix;
    else ignored(`${name} is not one network such as 10.5.34.1/24`);
  }
  if (more > 0) warnings.push(`${path}: ${more} more lines are ignored`);
  const { network, subnet } = found;
  if (network && subnet && !contains(network, subnet)) {
    warnings.push(`${path}: FLANNEL_SUBNET is not inside FLANNEL_NETWORK, ignored`);
    return { network, warnings };
  }
  return { ...found, warnings };
}

function unquoted(value: string): string {
  const text = value.replace(/\s#.*$/, '').trim();
  return /^(["'])(.*)\1$/.exec(text)?.[2] ?? text;
}

/** flannel writes lists where a network has several pools; one of a single pool is the same as no list. */
function singlePrefix(text: string): Prefix | undefined {
  const items = text.split(',').filter((item) => item.trim() !== '');
  const prefix = items.length === 1 ? parsePrefix(items[0]!.trim()) : undefined;
  return prefix && masked(prefix);
}
