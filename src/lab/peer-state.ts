/**
 * What the leases mean for a host's kernel, as `ip` and `bridge` print it, and what is there. Worked out from etcd's
 * keys by themselves, without a line of the daemon's own plans, to hold the one against the other.
 */
import { readLeasedSubnet } from './container.js';
import type { LabHost } from './host.js';
import type { LeaseEntry } from './lease-entries.js';

interface LeaseValue {
  readonly PublicIP: string;
  readonly BackendType: string;
  readonly BackendData?: { readonly VtepMAC?: string };
}

/** Lines for each backend that has some for a peer, sorted. Metrics are left out. */
export function plannedPeers(host: Pick<LabHost, 'address'>, leases: readonly LeaseEntry[]): string[] {
  return leases
    .map(({ key, value }) => ({ subnet: key.replace('-', '/'), ...(JSON.parse(value) as LeaseValue) }))
    .filter(({ PublicIP }) => PublicIP !== host.address)
    .flatMap(({ subnet, PublicIP, BackendType, BackendData }) => {
      if (BackendType === 'host-gw') return [`${subnet} via ${PublicIP} dev eth0 proto 76`];
      if (BackendType !== 'vxlan') return [];
      const gateway = subnet.replace(/\/.*/, '');
      const mac = BackendData?.VtepMAC;
      return [
        `${gateway} dev flannel.1 lladdr ${mac} PERMANENT`,
        `${mac} dst ${PublicIP} self permanent`,
        `${subnet} via ${gateway} dev flannel.1 proto 76 onlink`,
      ];
    })
    .sort();
}

const LOOKS = `ip -4 neighbour show nud permanent | grep 'dev flannel'
  [ ! -e /proc/sys/net/ipv4/conf/flannel.1 ] || bridge fdb show dev flannel.1
  ip -4 route show | grep 'via .* proto 76'`;

/** The same of what is in the kernel: all routes of loden's protocol, the tunnel's permanent neighbours and entries. */
export async function peersInKernel({ namespace }: Pick<LabHost, 'namespace'>): Promise<string[]> {
  const { stdout } = await namespace.attempt(['sh', '-c', LOOKS]);
  return stdout
    .split('\n')
    .map((line) => line.trim().replace(/ metric \d+/, ''))
    .filter((line) => line !== '')
    .sort();
}

/** `10.77.5.0-24`: the key of the subnet that the host's file promises to Docker. Undefined without a file. */
export async function promisedKey(host: LabHost): Promise<string | undefined> {
  const leased = await readLeasedSubnet(host.daemon.subnetFile).catch(() => undefined);
  return leased?.bridgeAddress.replace(/\d+\/(\d+)$/, '0-$1');
}
