import {
  type Address,
  type KernelObject,
  type Link,
  ROUTE_PROTOCOL,
  type Sysctl,
} from '../../kernel/objects.js';
import type { Lease } from '../../lease/lease.js';
import { formatIpv4 } from '../../net/ipv4.js';
import { formatPrefix } from '../../net/prefix.js';
import type { NetworkView } from '../backend.js';
import { directRoute, isOnLink } from '../direct-route.js';
import { IP_FORWARD } from '../forwarding.js';
import { routeMetric } from '../route-metric.js';
import { acceptRouterAdvertisements, deviceName, plannedDevice } from './device.js';
import { vtepOf } from './lease-data.js';
import type { VxlanOptions } from './options.js';

type View = NetworkView<VxlanOptions>;

export function planSelf({ options, uplink, subnet, ownData }: View): readonly KernelObject[] {
  const name = deviceName(options);
  const device: Link = { ...plannedDevice(options, uplink), mac: vtepOf(ownData)! };
  const address: Address = { kind: 'address', link: name, address: `${formatIpv4(subnet.address)}/32` };
  const sysctl: Sysctl = { kind: 'sysctl', path: acceptRouterAdvertisements(options), value: '0' };
  return [device, sysctl, IP_FORWARD, address];
}

/**
 * The kernel finds its way in three steps: the route names a gateway that only exists on this device, the neighbour
 * says which MAC that gateway has, and the forwarding entry says which host that MAC is at.
 */
export function planPeer({ options, uplink }: View, peer: Lease): readonly KernelObject[] {
  if (options.directRouting && isOnLink(uplink, peer)) return [directRoute(uplink, peer)];
  const link = deviceName(options);
  const mac = vtepOf(peer.attributes.backendData)!;
  const gateway = formatIpv4(peer.subnet.address);
  return [
    { kind: 'neighbour', link, address: gateway, mac, permanent: true },
    { kind: 'fdb', link, mac, destination: peer.attributes.publicIp, permanent: true },
    {
      kind: 'route',
      destination: formatPrefix(peer.subnet),
      metric: routeMetric(peer.subnet),
      type: 'unicast',
      gateway,
      link,
      onlink: true,
      protocol: ROUTE_PROTOCOL,
    },
  ];
}
