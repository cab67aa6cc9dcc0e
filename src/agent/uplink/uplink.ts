/**
 * Which interface carries our packets to other hosts, in flannel's order (main.go): each `--iface`, then each
 * `--iface-regex`, then `--iface-can-reach`; without any of them the interface that has the public IP, else that of
 * the default route. flannel gives up when no interface has the public IP; behind NAT none ever has.
 */
import type { Uplink } from '../../backend/backend.js';
import { UplinkError } from '../../errors.js';
import type { Interface, InterfaceAddress, Kernel, RouteLookup } from '../../kernel/kernel.js';
import { parseIpv4 } from '../../net/ipv4.js';
import { contains, formatPrefix, type Prefix } from '../../net/prefix.js';

/** The flags of that name. */
export interface UplinkRequest {
  readonly iface: readonly string[];
  readonly ifaceRegex: readonly RegExp[];
  readonly ifaceCanReach: string | undefined;
  readonly publicIp: string | undefined;
}

/** What of this host the choice depends on. */
export interface HostNetwork {
  readonly interfaces: readonly Interface[];
  /** Name of the default route's interface; undefined when there is no such route, or one with several next hops. */
  readonly defaultLink: string | undefined;
  /** How `ifaceCanReach` is reached; undefined when it is not, or was not asked for. */
  readonly reach: RouteLookup | undefined;
}

export interface UplinkChoice {
  readonly uplink: Uplink;
  /** Why this one, as a phrase: `--iface eth1`, `the default route`. */
  readonly reason: string;
  /** No interface has the public IP: other hosts reach us through an address translation. */
  readonly behindNat: boolean;
}

interface Match {
  readonly link: Interface;
  readonly address: InterfaceAddress;
  readonly reason: string;
}

const LOOPBACK: Prefix = { address: parseIpv4('127.0.0.0')!, length: 8 };

/** Looks at the host and chooses. Throws UplinkError. */
export async function findUplink(
  request: UplinkRequest,
  kernel: Pick<Kernel, 'interfaces' | 'routes' | 'routeTo'>,
  signal: AbortSignal,
): Promise<UplinkChoice> {
  const [interfaces, routes, reach] = await Promise.all([
    kernel.interfaces(signal),
    kernel.routes(signal),
    request.ifaceCanReach ? kernel.routeTo(request.ifaceCanReach, signal) : undefined,
  ]);
  const defaultRoute = routes.find(({ destination }) => destination.length === 0);
  return chooseUplink(request, { interfaces, defaultLink: defaultRoute?.link, reach });
}

/** Throws UplinkError that says what was asked for and what there is. */
export function chooseUplink(request: UplinkRequest, host: HostNetwork): UplinkChoice {
  const match = candidates(request, host).next().value;
  if (!match) throw noneFits(request, host);
  const { link, address, reason } = match;
  if (link.mtu === 0) throw new UplinkError(`interface ${link.name} has no MTU; choose another with --iface`);
  const { publicIp = address.address } = request;
  const owned = host.interfaces.some(({ addresses }) => addresses.some((own) => own.address === publicIp));
  const { name, index, mtu } = link;
  const networks = link.addresses.map(({ network }) => network);
  return {
    uplink: { name, index, mtu, address: address.address, networks, publicIp },
    reason,
    behindNat: !owned,
  };
}

/** All that fit, best first. */
function* candidates(request: UplinkRequest, host: HostNetwork): Generator<Match, undefined> {
  const { iface, ifaceRegex, ifaceCanReach, publicIp } = request;
  for (const asked of iface) yield* named(asked, `--iface ${asked}`, host);
  for (const regex of ifaceRegex) yield* matching(regex, host);
  if (ifaceCanReach && host.reach && !host.reach.local) {
    yield* onLink(host.reach.link, host.reach.source, `--iface-can-reach ${ifaceCanReach}`, host);
  }
  if (iface.length > 0 || ifaceRegex.length > 0 || ifaceCanReach) return;
  if (publicIp) yield* named(publicIp, `--public-ip ${publicIp}`, host);
  if (host.defaultLink) yield* onLink(host.defaultLink, undefined, 'the default route', host);
}

/** By address, or else by name. */
function* named(asked: string, reason: string, host: HostNetwork): Generator<Match> {
  if (parseIpv4(asked) === undefined) yield* onLink(asked, undefined, reason, host);
  for (const link of host.interfaces) {
    const address = link.addresses.find((own) => own.address === asked);
    if (address) yield { link, address, reason };
  }
}

/** Addresses of all interfaces come before names, as with flannel. */
function* matching(regex: RegExp, host: HostNetwork): Generator<Match> {
  const reason = `--iface-regex ${regex.source}`;
  const usable = host.interfaces.flatMap((link) =>
    reachable(link).map((address) => ({ link, address, reason })),
  );
  yield* usable.filter(({ address }) => regex.test(address.address));
  yield* usable.filter(({ link }) => regex.test(link.name));
}

function* onLink(
  name: string,
  source: string | undefined,
  reason: string,
  host: HostNetwork,
): Generator<Match> {
  const link = host.interfaces.find((candidate) => candidate.name === name);
  if (!link) return;
  const address = link.addresses.find((own) => own.address === source) ?? reachable(link)[0];
  if (address) yield { link, address, reason };
}

/** Whoever wants 127.0.0.1 has to ask for it by that: other hosts do not reach it. */
function reachable({ addresses }: Interface): InterfaceAddress[] {
  return addresses.filter(({ address }) => !contains(LOOPBACK, parseIpv4(address)!));
}

function noneFits(request: UplinkRequest, host: HostNetwork): UplinkError {
  const asked = [
    ...request.iface.map((name) => `--iface=${name}`),
    ...request.ifaceRegex.map(({ source }) => `--iface-regex=${source}`),
    ...(request.ifaceCanReach ? [`--iface-can-reach=${request.ifaceCanReach}`] : []),
  ].join(' ');
  const problem = asked ? `no interface fits ${asked}` : `no interface to choose: ${defaultProblem(host)}`;
  const there = host.interfaces.map(describe).join('; ');
  return new UplinkError(`${problem}. This host has ${there || 'no interfaces'}. Choose with --iface`);
}

function defaultProblem({ defaultLink }: HostNetwork): string {
  return defaultLink
    ? `${defaultLink}, which has the default route, has no IPv4 address`
    : 'there is no default route over a single interface';
}

/** `eth0 (10.0.0.5/24, up)` */
function describe({ name, addresses, up }: Interface): string {
  const texts = addresses.map(({ address, network }) => `${address}/${formatPrefix(network).split('/')[1]}`);
  return `${name} (${texts.join(', ') || 'no IPv4 address'}, ${up ? 'up' : 'down'})`;
}
