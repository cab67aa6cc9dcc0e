import type { Kernel } from '../kernel/kernel.js';
import type { Link } from '../kernel/objects.js';
import { contains, type Prefix, parsePrefix } from '../net/prefix.js';
import { DEVICE } from './udp/plan.js';

/**
 * The tunnel devices that are there for these networks, whatever the config says now: VXLAN or TUN by type, named as
 * flannel names them, and with one IPv4 address, a tunnel end's /32 out of one of the networks. The address tells a
 * device that an earlier VNI or backend left behind from that of another network on this host.
 */
export async function findDevices(
  kernel: Kernel,
  networks: readonly Prefix[],
  signal: AbortSignal,
): Promise<readonly Link[]> {
  const names = (await kernel.interfaces(signal)).flatMap(({ name }) => (typeOf(name) ? [name] : []));
  if (names.length === 0) return [];
  const found = await kernel.dump({ links: names, pools: [], uplink: undefined, sysctls: [] }, signal);
  const addresses = [...found.values()].filter((object) => object.kind === 'address');
  return [...found.values()]
    .filter((object) => object.kind === 'link')
    .filter(({ name, type }) => type === typeOf(name))
    .filter(({ name }) => {
      const [first, ...more] = addresses.filter(({ link }) => link === name);
      return first !== undefined && more.length === 0 && isTunnelEndOf(first.address, networks);
    });
}

function isTunnelEndOf(address: string, networks: readonly Prefix[]): boolean {
  const end = parsePrefix(address);
  return end?.length === 32 && networks.some((network) => contains(network, end));
}

/** The type of device that has such a name; undefined when none of ours does. */
function typeOf(name: string): string | undefined {
  if (name === DEVICE) return 'tun';
  return /^flannel\.\d+$/.test(name) ? 'vxlan' : undefined;
}
