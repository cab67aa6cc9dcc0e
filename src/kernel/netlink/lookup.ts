/** Questions about this host that no change hangs on: its interfaces, its routes, the way to an address. */
import { formatIpv4, type Ipv4 } from '../../net/ipv4.js';
import { contains, masked, type Prefix } from '../../net/prefix.js';
import type { HostRoute, Interface, InterfaceAddress, RouteLookup } from '../kernel.js';
import { describe } from '../text.js';
import {
  type AddressMessage,
  IFA_F_DEPRECATED,
  IFA_F_PERMANENT,
  IFA_F_SECONDARY,
  RTM_GETADDR,
  readAddress,
  writeGetAddresses,
} from './address.js';
import { type Connection, failuresOf } from './connection.js';
import { LinkTable } from './link-table.js';
import { MessageReader, NLM_F_REQUEST } from './message.js';
import {
  RT_TABLE_MAIN,
  RTM_GETROUTE,
  RTM_NEWROUTE,
  RTN_LOCAL,
  readRoute,
  writeGetRoutes,
  writeLookUpRoute,
} from './route.js';
import { toRoute } from './to-objects.js';

/** 169.254.0.0/16 */
const LINK_LOCAL: Prefix = { address: 0xa9fe0000, length: 16 };
/** 127.0.0.0/8 */
const LOOPBACK: Prefix = { address: 0x7f000000, length: 8 };

export async function readInterfaces(connection: Connection): Promise<Interface[]> {
  const links = await LinkTable.read(connection);
  const addresses = new Map<number, AddressMessage[]>();
  await connection.dump(
    RTM_GETADDR,
    (writer, header) => writeGetAddresses(writer, header, 0),
    ({ buffer, start, end }) => {
      const message = readAddress(buffer, start, end);
      if (!message) return;
      const list = addresses.get(message.link);
      if (list) list.push(message);
      else addresses.set(message.link, [message]);
    },
  );
  return Array.from(links.values(), (link) => ({
    index: link.index,
    name: link.name ?? '',
    mtu: link.mtu ?? 0,
    up: link.up ?? false,
    addresses: inFlannelsOrder(addresses.get(link.index) ?? []).map(toInterfaceAddress),
  }));
}

/** pkg/ip/iface.go: deprecated ones are left out, and of equal ones the kernel's order stays. */
function inFlannelsOrder(addresses: readonly AddressMessage[]): AddressMessage[] {
  const rank = ({ local, flags }: AddressMessage) =>
    (isGlobal(local) ? 0 : 4) + (flags & IFA_F_PERMANENT ? 0 : 2) + (flags & IFA_F_SECONDARY ? 1 : 0);
  return addresses.filter(({ flags }) => (flags & IFA_F_DEPRECATED) === 0).sort((a, b) => rank(a) - rank(b));
}

function isGlobal(address: Ipv4): boolean {
  return !contains(LINK_LOCAL, address) && !contains(LOOPBACK, address);
}

/** On a point-to-point link the network is the other end's. */
function toInterfaceAddress({ local, peer, length }: AddressMessage): InterfaceAddress {
  return { address: formatIpv4(local), network: masked({ address: peer, length }) };
}

export async function readRoutes(connection: Connection): Promise<HostRoute[]> {
  const { nameOf } = await LinkTable.read(connection);
  const routes: HostRoute[] = [];
  await connection.dump(RTM_GETROUTE, writeGetRoutes, ({ buffer, start, end }) => {
    const message = readRoute(buffer, start, end);
    if (message?.table !== RT_TABLE_MAIN) return;
    const route = toRoute(message, nameOf);
    const destination = { address: message.destination, length: message.length };
    const { link, gateway } = route;
    routes.push({ destination, link, gateway, text: describe(route) });
  });
  return routes;
}

export async function lookUpRoute(connection: Connection, to: Ipv4): Promise<RouteLookup | undefined> {
  const answer = await connection.exchange([
    (writer, sequence) =>
      writeLookUpRoute(writer, { type: RTM_GETROUTE, flags: NLM_F_REQUEST, sequence }, to),
  ]);
  if (failuresOf(answer).size > 0) return undefined;
  const reader = new MessageReader(answer.buffer);
  while (reader.next()) {
    if (reader.type !== RTM_NEWROUTE || reader.sequence !== answer.first) continue;
    const message = readRoute(reader.buffer, reader.start, reader.end);
    const { nameOf } = await LinkTable.read(connection);
    const link = message?.link === undefined ? undefined : nameOf(message.link);
    if (!message || link === undefined) return undefined;
    return {
      link,
      ...(message.gateway === undefined ? {} : { gateway: formatIpv4(message.gateway) }),
      ...(message.source === undefined ? {} : { source: formatIpv4(message.source) }),
      local: message.type === RTN_LOCAL,
    };
  }
  return undefined;
}
