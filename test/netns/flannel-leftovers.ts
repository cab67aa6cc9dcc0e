/**
 * A host as flanneld 0.20 leaves it, made by hand: device, routes, neighbours and FDB entries in its form, its subnet
 * file, and its lease in etcd, with a day to live.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import type { Daemon } from '../../src/lab/daemon.js';
import type { LabHost } from '../../src/lab/host.js';
import type { Lab } from '../../src/lab/lab.js';
import { SUBNETS, vxlanLease } from './lease-keys.js';

type BackendType = 'vxlan' | 'host-gw';

/** flanneld draws a MAC at random; these are no MACs that lodend would derive. */
export const vtepMac = (number: number) => `c6:d2:32:6f:8f:0${number}`;
export const flannelSubnet = (number: number) => `10.77.${number}.0/24`;

export function flannelLease(backend: BackendType, host: LabHost): object {
  if (backend === 'vxlan') return vxlanLease(host.address, vtepMac(host.number));
  return { PublicIP: host.address, PublicIPv6: null, BackendType: backend };
}

/** All hosts of the lab, with a container each, as if a flanneld had just been stopped on each of them. */
export async function leaveAsFlannel(lab: Lab, backend: BackendType): Promise<Daemon[]> {
  const daemons: Daemon[] = [];
  for (const host of lab.hosts) {
    const subnet = flannelSubnet(host.number);
    await putWithTtl(lab, subnet.replace('/', '-'), flannelLease(backend, host));
    const peers = lab.hosts.filter((other) => other !== host);
    await host.exec(['sh', '-ec', backend === 'vxlan' ? vxlanScript(host, peers) : hostgwScript(peers)]);
    const bridgeAddress = subnet.replace('0/24', '1/24');
    const mtu = backend === 'vxlan' ? 1450 : 1500;
    const directory = `${host.directory}/lodend`;
    await mkdir(directory, { recursive: true });
    await writeFile(
      `${directory}/subnet.env`,
      `FLANNEL_NETWORK=10.77.0.0/16\nFLANNEL_SUBNET=${bridgeAddress}\nFLANNEL_MTU=${mtu}\nFLANNEL_IPMASQ=false\n`,
    );
    await host.attachContainer({ bridgeAddress, mtu });
    daemons.push(host.makeDaemon('lodend', { kind: 'lodend' }));
  }
  return daemons;
}

function vxlanScript(host: LabHost, peers: readonly LabHost[]): string {
  return `
    echo 1 >/proc/sys/net/ipv4/ip_forward
    ip link add flannel.1 address ${vtepMac(host.number)} mtu 1450 type vxlan id 1 dev eth0 local ${host.address} nolearning
    echo 0 >/proc/sys/net/ipv6/conf/flannel.1/accept_ra
    ip address add 10.77.${host.number}.0/32 dev flannel.1
    ip link set flannel.1 up
    ${peers
      .map(
        (peer) => `
    ip neighbour replace 10.77.${peer.number}.0 lladdr ${vtepMac(peer.number)} dev flannel.1 nud permanent
    bridge fdb append ${vtepMac(peer.number)} dev flannel.1 dst ${peer.address} self permanent
    ip route add ${flannelSubnet(peer.number)} via 10.77.${peer.number}.0 dev flannel.1 onlink`,
      )
      .join('')}`;
}

function hostgwScript(peers: readonly LabHost[]): string {
  const routes = peers.map(
    (peer) => `ip route add ${flannelSubnet(peer.number)} via ${peer.address} dev eth0`,
  );
  return ['echo 1 >/proc/sys/net/ipv4/ip_forward', ...routes].join('\n');
}

async function putWithTtl(lab: Lab, key: string, value: object): Promise<void> {
  const granted = await lab.etcd.ctl('lease', 'grant', '86400');
  const lease = /^lease ([0-9a-f]+) granted/.exec(granted)![1]!;
  await lab.etcd.ctl('put', `--lease=${lease}`, `${SUBNETS}/${key}`, JSON.stringify(value));
}
