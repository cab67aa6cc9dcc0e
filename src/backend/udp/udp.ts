/**
 * Packets travel inside UDP, one bare IPv4 packet a datagram, as flannel's udp backend sends them. The kernel has one
 * device and one route, for the whole pool; threads of ours (`native/udp`) read packets from the device, look up the
 * peer and send, and the other way round.
 *
 *   container ── docker0 ── flannel0 ══ threads ══ UDP 8285 over the uplink ══ threads ══ flannel0 ── docker0 ── container
 *
 *   10.5.0.0/16 dev flannel0        route: all of the pool that no bridge of this host has
 *   10.5.2.0/24 at 192.0.2.2        packet path: where to, and the only host to take 10.5.2.0/24 from
 *
 * The device outlives the process: while no daemon runs packets are lost, but routes, addresses and connections stay.
 */

import { parseIpv4 } from '../../net/ipv4.js';
import { contains, type Prefix } from '../../net/prefix.js';
import type { Backend } from '../backend.js';
import { IP_FORWARD } from '../forwarding.js';
import { checkMtu } from '../least-mtu.js';
import { parseUdpOptions, type UdpOptions } from './options.js';
import {
  ACCEPT_LOCAL,
  DEVICE,
  NO_IPV6,
  packetPath,
  packetPeer,
  planSelf,
  UDP_OVERHEAD,
  udpMtu,
} from './plan.js';

export const udp: Backend<UdpOptions> = {
  type: 'udp',
  leaseType: '',
  parseOptions: parseUdpOptions,

  checkUplink: (options, uplink) =>
    checkMtu({
      left: udpMtu(options, uplink),
      configured: options.mtu,
      uplink,
      by: `UDP's own ${UDP_OVERHEAD}`,
    }),

  mtu: udpMtu,
  leaseData: () => undefined,
  refusal: ({ network, uplink }, { attributes: { publicIp } }) =>
    isRoutedThroughPool(publicIp, network.network, uplink.networks)
      ? `public IP ${publicIp} is in the pool, so packets to it would come through ${DEVICE} again`
      : undefined,
  owns: () => ({ links: [DEVICE], sysctls: [NO_IPV6.path, ACCEPT_LOCAL.path, IP_FORWARD.path] }),
  peerLinks: () => [DEVICE],
  planSelf,
  planPeer: () => [],
  packetPath,
  packetPeer,
};

/** The pool is one route here, and only the uplink's own networks are a closer match. Two such peers could name each other. */
function isRoutedThroughPool(publicIp: string, pool: Prefix, uplinkNetworks: readonly Prefix[]): boolean {
  const address = parseIpv4(publicIp);
  return (
    address !== undefined &&
    contains(pool, address) &&
    !uplinkNetworks.some((network) => contains(network, address))
  );
}
