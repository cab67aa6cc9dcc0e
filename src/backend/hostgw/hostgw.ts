/**
 * One route per peer: its subnet, by way of its own address. Nothing is wrapped, so nothing is slower than the wire
 * and the MTU is the wire's; but every host must be a neighbour of every other.
 *
 *   container ── docker0 ── host A ──────── the wire ──────── host B ── docker0 ── container
 *                            10.5.2.0/24 via B dev eth0
 */
import { UplinkError } from '../../errors.js';
import type { Backend } from '../backend.js';
import { directRoute, isOnLink } from '../direct-route.js';
import { IP_FORWARD } from '../forwarding.js';

export const hostgw: Backend<undefined> = {
  type: 'host-gw',
  leaseType: 'host-gw',
  parseOptions: () => undefined,

  checkUplink(_options, uplink) {
    if (uplink.publicIp === uplink.address) return;
    throw new UplinkError(
      `host-gw needs the public IP on the interface, but it is ${uplink.publicIp} and ${uplink.name} has ` +
        `${uplink.address}: your PublicIP differs from interface IP, so there is probably NAT in between. ` +
        'Leave --public-ip out, or use the vxlan backend',
    );
  },

  mtu: (_options, uplink) => uplink.mtu,
  leaseData: () => undefined,

  refusal({ uplink }, peer) {
    if (isOnLink(uplink, peer)) return undefined;
    return `its public IP ${peer.attributes.publicIp} is not on-link at ${uplink.name}, and host-gw cannot cross a router`;
  },

  owns: () => ({ links: [], sysctls: [IP_FORWARD.path] }),
  peerLinks: (_options, uplink) => [uplink.name],
  planSelf: () => [IP_FORWARD],
  planPeer: ({ uplink }, peer) => [directRoute(uplink, peer)],
};
