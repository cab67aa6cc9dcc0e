/** A small overlay network, for tests: the device, and what a peer is made of. */
import type { Ownership } from '../../src/kernel/kernel.js';
import {
  type Address,
  type FdbEntry,
  type KernelObject,
  keyOf,
  type Link,
  type Neighbour,
  type Route,
} from '../../src/kernel/objects.js';
import { formatIpv4 } from '../../src/net/ipv4.js';
import { parsePrefix } from '../../src/net/prefix.js';

export const OWNED: Ownership = {
  links: ['flannel.1'],
  pools: [parsePrefix('10.5.0.0/16')!],
  uplink: 'eth0',
  sysctls: ['net/ipv4/ip_forward', 'net/ipv6/conf/flannel.1/accept_ra'],
};

export const LINK: Link = {
  kind: 'link',
  name: 'flannel.1',
  mac: '02:00:00:00:00:01',
  mtu: 1450,
  up: true,
  type: 'vxlan',
  vxlan: { vni: 1, port: 8472, local: '192.168.9.2', device: 'eth0', learning: false, gbp: false },
};

export const ADDRESS: Address = { kind: 'address', link: 'flannel.1', address: '10.5.1.0/32' };

/** The n-th peer has 10.5.n.0/24 and is reached at 192.168.9.n. */
export function peerNeighbour(n: number): Neighbour {
  return { kind: 'neighbour', link: 'flannel.1', address: base(n), mac: peerMac(n), permanent: true };
}

export function peerFdb(n: number): FdbEntry {
  const destination = formatIpv4(0xc0a80900 + n);
  return { kind: 'fdb', link: 'flannel.1', mac: peerMac(n), destination, permanent: true };
}

export function peerRoute(n: number, more: Partial<Route> = {}): Route {
  return {
    kind: 'route',
    destination: `${base(n)}/24`,
    metric: 1000 + n,
    type: 'unicast',
    gateway: base(n),
    link: 'flannel.1',
    onlink: true,
    protocol: 76,
    ...more,
  };
}

/** The same peer over host-gw. */
export function directRoute(n: number, more: Partial<Route> = {}): Route {
  return peerRoute(n, { gateway: formatIpv4(0xc0a80900 + n), link: 'eth0', onlink: false, ...more });
}

export function peer(n: number): KernelObject[] {
  return [peerNeighbour(n), peerFdb(n), peerRoute(n)];
}

export function byKey(...objects: readonly KernelObject[]): Map<string, KernelObject> {
  return new Map(objects.map((object) => [keyOf(object), object]));
}

function base(n: number): string {
  return formatIpv4(0x0a050000 + n * 256);
}

function peerMac(n: number): string {
  return `02:00:00:00:01:${n.toString(16).padStart(2, '0')}`;
}
