import type { NetworkView, Uplink } from '../backend/backend.js';
import { type CheckedConfig, checkConfig } from '../backend/checked-config.js';
import { findDevices } from '../backend/found-devices.js';
import type { NetworkConfig } from '../config/network.js';
import { type PreviousSubnet, readSubnetFile } from '../config/subnet-file.js';
import { ConfigError } from '../errors.js';
import type { JsonValue } from '../json.js';
import type { Interface, Kernel, KernelState, Ownership } from '../kernel/kernel.js';
import type { Link } from '../kernel/objects.js';
import { isOurs } from '../kernel/ownership.js';
import { describe } from '../kernel/text.js';
import type { Forbidden } from '../lease/allocate.js';
import type { HostMarks, LeaseAttributes } from '../lease/lease.js';
import { parseIpv4 } from '../net/ipv4.js';
import { contains, equalPrefixes, type Prefix, parsePrefix } from '../net/prefix.js';
import { findUplink, type UplinkRequest } from './uplink/uplink.js';

/** What there is before anything is done: the network's config as this host can follow it, and the host as found. */
export interface Survey extends CheckedConfig {
  readonly uplink: Uplink;
  readonly owned: Ownership;
  readonly observed: KernelState;
  /** From the last run's subnet.env. */
  readonly previousSubnet: Prefix | undefined;
  /** Networks of this host's own inside the pool, which its subnet must not overlap. */
  readonly forbidden: readonly Forbidden[];
  /** Which interface was chosen, and why: a sentence for the log. */
  readonly uplinkChoice: string;
}

interface SurveyInput {
  readonly configText: string;
  /** For error texts: `etcd key /coreos.com/network/config`. */
  readonly configSource: string;
  readonly request: UplinkRequest;
  readonly subnetFile: string;
  readonly kernel: Kernel;
  readonly signal: AbortSignal;
}

/** Reads and checks, and changes nothing. Throws ConfigError or UplinkError. */
export async function surveyHost(input: SurveyInput): Promise<Survey> {
  try {
    return await survey(input);
  } catch (error) {
    if (error instanceof ConfigError) error.source ??= input.configSource;
    throw error;
  }
}

async function survey(input: SurveyInput): Promise<Survey> {
  const checked = checkConfig(input.configText, input.configSource);
  const { network, backend, backendOptions } = checked;
  const { uplink, reason, behindNat } = await findUplink(input.request, input.kernel, input.signal);
  backend.checkUplink(backendOptions, uplink);
  const previous = await readSubnetFile(input.subnetFile);
  const own = backend.owns(backendOptions);
  const owned: Ownership = {
    ...own,
    former: await formerDevices(input, previous, own.links),
    pools: poolsOf(network, previous),
    uplink: uplink.name,
  };
  const [observed, interfaces] = await Promise.all([
    input.kernel.dump(owned, input.signal),
    input.kernel.interfaces(input.signal),
  ]);
  return {
    ...checked,
    uplink,
    owned,
    observed,
    previousSubnet: previous.subnet,
    forbidden: [...foreignRoutes(observed, owned), ...ownAddresses(interfaces, owned, network)],
    warnings: [...checked.warnings, ...previous.warnings],
    uplinkChoice: describeUplink(uplink, reason, behindNat),
  };
}

/** The view of a host that holds `subnet`; the rest follows from the survey. */
export function viewOf(survey: Survey, subnet: Prefix): NetworkView {
  return { ...survey, options: survey.backendOptions, subnet, ownData: leaseData(survey, subnet) };
}

/** What tells this host from others whatever its address is. */
export type Marks = Pick<HostMarks, 'identity' | 'boot'>;

/** What this host says of itself in its lease if it holds `subnet`. */
export function leaseAttributes(survey: Survey, subnet: Prefix, marks: Marks): LeaseAttributes {
  const backendData = leaseData(survey, subnet);
  return {
    publicIp: survey.uplink.publicIp,
    publicIpV6: null,
    backendType: survey.backend.leaseType,
    ...(backendData === undefined ? {} : { backendData }),
    identity: marks.identity,
    boot: marks.boot,
  };
}

function leaseData(survey: Survey, subnet: Prefix): JsonValue | undefined {
  return survey.backend.leaseData({ ...survey, options: survey.backendOptions, subnet });
}

/** After a change of the pool, what is left in the old one is still ours. */
function poolsOf({ network }: NetworkConfig, previous: PreviousSubnet): readonly Prefix[] {
  const old = previous.network;
  return old === undefined || equalPrefixes(old, network) ? [network] : [network, old];
}

/** After a change of the VNI or the backend, the device that the last run's subnet was reached by. */
async function formerDevices(
  { kernel, signal }: SurveyInput,
  { subnet }: PreviousSubnet,
  links: readonly string[],
): Promise<readonly Link[]> {
  if (subnet === undefined) return [];
  const found = await findDevices(kernel, [{ address: subnet.address, length: 32 }], signal);
  return found.filter(({ name }) => !links.includes(name));
}

function foreignRoutes(observed: KernelState, owned: Ownership): Forbidden[] {
  return [...observed.values()].flatMap((object) =>
    object.kind === 'route' && !isOurs(object, owned)
      ? [{ network: parsePrefix(object.destination)!, text: describe(object) }]
      : [],
  );
}

function ownAddresses(
  interfaces: readonly Interface[],
  owned: Ownership,
  { network }: NetworkConfig,
): Forbidden[] {
  const ours = new Set([...owned.links, ...(owned.former ?? []).map(({ name }) => name)]);
  return interfaces
    .filter(({ name }) => !ours.has(name))
    .flatMap(({ name, addresses }) =>
      addresses
        .map(({ address }) => ({
          network: { address: parseIpv4(address)!, length: 32 },
          text: `${address} dev ${name}`,
        }))
        .filter((own) => contains(network, own.network)),
    );
}

function describeUplink({ name, address, publicIp }: Uplink, reason: string, behindNat: boolean): string {
  const nat = behindNat ? ', which no interface has: behind NAT' : '';
  return `using interface ${name}, ${address}, by ${reason}; public IP ${publicIp}${nat}`;
}
