/**
 * Each host has one VXLAN device. A peer costs it a route, a neighbour and a forwarding entry, all permanent, all
 * known from the peer's lease: nothing is flooded, learned or asked for.
 *
 *   container ── docker0 ── flannel.1 ══ UDP 8472 over the uplink ══ flannel.1 ── docker0 ── container
 *
 *   10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink      route: hand it to the peer's VTEP
 *   10.5.2.0 lladdr 62:0b:… PERMANENT                  neighbour: the VTEP's MAC
 *   62:0b:… dst 192.0.2.7 self permanent               forwarding entry: the host that has that MAC
 *
 * The VTEP's address is its subnet's first one, on a /32: what a host itself sends to a container comes from there.
 */
import { vtepMac } from '../../net/mac.js';
import type { Backend } from '../backend.js';
import { isOnLink } from '../direct-route.js';
import { IP_FORWARD } from '../forwarding.js';
import { checkMtu } from '../least-mtu.js';
import { acceptRouterAdvertisements, deviceName, VXLAN_OVERHEAD, vxlanMtu } from './device.js';
import { vtepOf, vtepRefusal, vxlanLeaseData } from './lease-data.js';
import { parseVxlanOptions, type VxlanOptions } from './options.js';
import { planPeer, planSelf } from './plan.js';

const mark = (mac: string) => `VTEP MAC ${mac}`;

export const vxlan: Backend<VxlanOptions> = {
  type: 'vxlan',
  leaseType: 'vxlan',
  parseOptions: parseVxlanOptions,

  checkUplink: (options, uplink) =>
    checkMtu({
      left: vxlanMtu(options, uplink),
      configured: options.mtu,
      uplink,
      by: `VXLAN's own ${VXLAN_OVERHEAD}`,
    }),

  mtu: vxlanMtu,
  leaseData: vxlanLeaseData,

  refusal({ options, uplink, ownData }, peer) {
    return options.directRouting && isOnLink(uplink, peer) ? undefined : vtepRefusal(peer, ownData);
  },

  markOf({ attributes }) {
    const mac = vtepOf(attributes.backendData);
    return mac && mark(mac);
  },
  markFor: ({ vni }, subnet) => mark(vtepMac(subnet, vni)),

  owns: (options) => ({
    links: [deviceName(options)],
    sysctls: [acceptRouterAdvertisements(options), IP_FORWARD.path],
  }),

  peerLinks: (options, uplink) =>
    options.directRouting ? [deviceName(options), uplink.name] : [deviceName(options)],

  planSelf,
  planPeer,
};
