/** A lab whose hosts have no daemon: somebody typed the `ip` and `bridge` commands. What a daemon is compared with. */
import { Lab } from '../src/lab/lab.js';
import type { LabOptions } from '../src/lab/options.js';
import { parseIpv4 } from '../src/net/ipv4.js';
import { type BackendType, deviceLines, linesOf, type Peer } from './crowd.js';

const MTU: Readonly<Record<BackendType, number>> = { vxlan: 1450, 'host-gw': 1500 };

/** Containers on it reach each other when this is done. */
export async function labByHand(backend: BackendType, options: LabOptions): Promise<Lab> {
  const lab = await Lab.up({ ...options, backend, daemon: false });
  try {
    for (const host of lab.hosts) {
      const own = asPeer(host.number, host.address);
      const others = lab.hosts.filter((peer) => peer !== host);
      const lines = others.map((peer) => linesOf(asPeer(peer.number, peer.address), backend));
      await host.namespace.setSysctl('ipv4/ip_forward', '1');
      if (backend === 'vxlan') await host.namespace.ip(...deviceLines(host.address, own.subnet, own.mac));
      await host.namespace.ip(...lines.flatMap(({ ip }) => ip));
      for (const { bridge } of lines)
        for (const line of bridge) await host.exec(['bridge', ...line.split(' ')]);
      await host.attachContainer({ bridgeAddress: `10.77.${host.number}.1/24`, mtu: MTU[backend] });
    }
  } catch (error) {
    await lab.down();
    throw error;
  }
  return lab;
}

function asPeer(number: number, publicIp: string): Peer {
  return {
    subnet: { address: parseIpv4(`10.77.${number}.0`)!, length: 24 },
    publicIp,
    mac: `02:be:ac:00:00:0${number}`,
  };
}
