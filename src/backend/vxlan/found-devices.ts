import type { Kernel } from '../../kernel/kernel.js';
import type { Link } from '../../kernel/objects.js';
import { contains, type Prefix, parsePrefix } from '../../net/prefix.js';

/**
 * The tunnel devices that are there for these networks, whatever the config says now: VXLAN by type, named as flannel
 * names them, and with one IPv4 address, a VTEP's /32 out of one of the networks. The address tells a device that an
 * earlier VNI or backend left behind from that of another network on this host.
 */
export async function findDevices(
  kernel: Kernel,
  networks: readonly Prefix[],
  signal: AbortSignal,
): Promise<readonly Link[]> {
  const names = (await kernel.interfaces(signal)).map(({ name }) => name).filter(isDeviceName);
  if (names.length === 0) return [];
  const found = await kernel.dump({ links: names, pools: [], uplink: undefined, sysctls: [] }, signal);
  const addresses = [...found.values()].filter((object) => object.kind === 'address');
  return [...found.values()]
    .filter((object) => object.kind === 'link')
    .filter(({ type }) => type === 'vxlan')
    .filter(({ name }) => {
      const [first, ...more] = addresses.filter(({ link }) => link === name);
      return first !== undefined && more.length === 0 && isVtepOf(first.address, networks);
    });
}

function isVtepOf(address: string, networks: readonly Prefix[]): boolean {
  const vtep = parsePrefix(address);
  return vtep?.length === 32 && networks.some((network) => contains(network, vtep));
}

function isDeviceName(name: string): boolean {
  return /^flannel\.\d+$/.test(name);
}
