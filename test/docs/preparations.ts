/** What a page's reader has already, when that is more than two hosts and an empty etcd. */
import { ETCD_PREFIX } from '../../src/lab/etcd-service.js';
import type { Lab } from '../../src/lab/lab.js';
import type { LabOptions } from '../../src/lab/options.js';
import { WIRE_ADDRESS } from '../../src/lab/wire.js';
import { makeCertificates } from '../etcd/certificates.js';
import { blocksOf, tagValue } from './blocks.js';
import type { Machine } from './machine.js';

export type MachineOf = (host: string) => Promise<Machine>;

/** `folder` is the test's own, and gone after it. */
export interface Preparation {
  options?(folder: string): Promise<LabOptions>;
  prepare(lab: Lab, machine: MachineOf, folder: string): Promise<void>;
}

const ENDPOINTS = 'export LODEND_ETCD_ENDPOINTS=http://etcd.example:2379';

async function succeed(machine: Machine, script: string): Promise<void> {
  const { exitCode, output } = await machine.run(script);
  if (exitCode !== 0) throw new Error(`${script}: exit ${exitCode}: ${output}`);
}

async function twoRunningHosts(lab: Lab, machine: MachineOf): Promise<void> {
  await lab.etcd.ctl('put', `${ETCD_PREFIX}/config`, '{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}');
  for (const name of ['h1', 'h2']) {
    const host = await machine(name);
    await succeed(host, ENDPOINTS);
    await host.startDaemon('lodend --healthz-port 8471');
  }
}

/** As flanneld leaves a host: device, one peer, lease and subnet file (pkg/backend/vxlan). */
async function hostWithFlannel(lab: Lab, machine: MachineOf): Promise<void> {
  const lease = (publicIp: string, mac: string) =>
    JSON.stringify({
      PublicIP: publicIp,
      PublicIPv6: null,
      BackendType: 'vxlan',
      BackendData: { VNI: 1, VtepMAC: mac },
    });
  const [, id] = (await lab.etcd.ctl('lease', 'grant', '86400')).split(' ');
  await lab.etcd.ctl('put', `${ETCD_PREFIX}/config`, '{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}');
  for (const [subnet, publicIp, mac] of [
    ['10.5.9.0-24', '192.168.77.1', 'c6:d2:32:6f:8f:41'],
    ['10.5.34.0-24', '192.168.77.2', 'c6:d2:32:6f:8f:42'],
  ] as const)
    await lab.etcd.ctl('put', `--lease=${id}`, `${ETCD_PREFIX}/subnets/${subnet}`, lease(publicIp, mac));
  await succeed(
    await machine('h1'),
    `ip link add flannel.1 address c6:d2:32:6f:8f:41 mtu 1450 type vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning
    ip address add 10.5.9.0/32 dev flannel.1
    ip link set flannel.1 up
    ip neighbour add 10.5.34.0 lladdr c6:d2:32:6f:8f:42 dev flannel.1 nud permanent
    bridge fdb add c6:d2:32:6f:8f:42 dev flannel.1 dst 192.168.77.2 self permanent
    ip route add 10.5.34.0/24 via 10.5.34.0 dev flannel.1 onlink
    mkdir -p /run/flannel
    printf '%s\\n' FLANNEL_NETWORK=10.5.0.0/16 FLANNEL_SUBNET=10.5.9.1/24 FLANNEL_MTU=1450 FLANNEL_IPMASQ=true >/run/flannel/subnet.env`,
  );
}

/** An etcd that speaks TLS. The reader has its CA. */
async function secureEtcd(folder: string): Promise<LabOptions> {
  await makeCertificates(folder, `DNS:etcd.example,IP:${WIRE_ADDRESS}`);
  return {
    etcd: {
      scheme: 'https',
      flags: [`--cert-file=${folder}/server.crt`, `--key-file=${folder}/server.key`],
      clientFlags: [`--cacert=${folder}/ca.crt`],
    },
  };
}

/** The reader has done what the page on etcd says. */
async function readerHasSecuredEtcd(lab: Lab, machine: MachineOf, folder: string): Promise<void> {
  await readerHasCa(lab, machine, folder);
  const host = await machine('h1');
  for (const block of blocksOf('docs/secure-etcd.md')) {
    const file = tagValue(block, 'file');
    if (file) await host.write(file, block.text);
    else if (block.tags.includes('daemon')) return;
    else if (block.tags.includes('run')) await succeed(host, block.text);
  }
}

async function readerHasCa(_lab: Lab, machine: MachineOf, folder: string): Promise<void> {
  await succeed(await machine('h1'), `mkdir /etc/loden\ncp ${folder}/ca.crt /etc/loden/`);
}

export const PREPARATIONS: Readonly<Record<string, Preparation>> = {
  'docs/operate.md': { prepare: twoRunningHosts },
  'docs/troubleshoot.md': { prepare: twoRunningHosts },
  'docs/migrate-from-flannel.md': { prepare: hostWithFlannel },
  'docs/security.md': { options: secureEtcd, prepare: readerHasSecuredEtcd },
  'docs/secure-etcd.md': { options: secureEtcd, prepare: readerHasCa },
};
