import type { Link } from '../../kernel/objects.js';
import type { Uplink } from '../backend.js';
import type { VxlanOptions } from './options.js';

/** 20 IP + 8 UDP + 8 VXLAN + 14 inner Ethernet */
export const VXLAN_OVERHEAD = 50;

export function deviceName(options: VxlanOptions): string {
  return `flannel.${options.vni}`;
}

/** The kernel gives the device no more than its uplink carries, whatever is asked for. */
export function vxlanMtu(options: VxlanOptions, uplink: Uplink): number {
  return Math.min(options.mtu ?? uplink.mtu, uplink.mtu) - VXLAN_OVERHEAD;
}

/** A router's advertisement inside the tunnel must not give this host a route. */
export function acceptRouterAdvertisements(options: VxlanOptions): string {
  return `net/ipv6/conf/${deviceName(options)}/accept_ra`;
}

/** The device as it should be, but for its MAC. */
export function plannedDevice(options: VxlanOptions, uplink: Uplink): Omit<Link, 'mac'> {
  return {
    kind: 'link',
    name: deviceName(options),
    type: 'vxlan',
    mtu: vxlanMtu(options, uplink),
    up: true,
    vxlan: {
      vni: options.vni,
      port: options.port,
      local: uplink.address,
      device: uplink.name,
      learning: options.learning,
      gbp: options.gbp,
    },
  };
}
