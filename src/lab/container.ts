/**
 * A container without Docker: a namespace on a bridge that has the leased subnet's first address, as docker0 has.
 *
 *     loden-lab-h1                         loden-lab-c1
 *       docker0 10.77.5.1/24 ── c-docker0 ── eth0 10.77.5.2/24, default via 10.77.5.1
 */
import { readFile } from 'node:fs/promises';
import { LabError } from '../errors.js';
import { formatIpv4 } from '../net/ipv4.js';
import { parsePrefix } from '../net/prefix.js';
import { Namespace } from './namespace.js';

/** What the daemon leaves in subnet.env for Docker. */
export interface LeasedSubnet {
  /** The bridge's address: the subnet's first, with its length, `10.77.5.1/24`. */
  readonly bridgeAddress: string;
  /** Bytes. */
  readonly mtu: number;
}

export interface ContainerOptions {
  readonly host: Namespace;
  /** The container's namespace, to be made. */
  readonly namespace: string;
  readonly subnet: LeasedSubnet;
  /** `docker0` when absent; at most 13 characters. */
  readonly bridge?: string;
}

export interface Container {
  readonly namespace: Namespace;
  readonly address: string;
  /** The bridge's address, which is the host's own. */
  readonly gateway: string;
}

/** Throws LabError when the file is not there or lacks a value. */
export async function readLeasedSubnet(file: string): Promise<LeasedSubnet> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new LabError(`${file} is not there: has the daemon leased a subnet?`, { cause });
  });
  const bridgeAddress = /^FLANNEL_SUBNET=(.+)$/m.exec(text)?.[1];
  const mtu = /^FLANNEL_MTU=(\d+)$/m.exec(text)?.[1];
  if (bridgeAddress === undefined || mtu === undefined)
    throw new LabError(`${file} lacks subnet or MTU:\n${text}`);
  return { bridgeAddress, mtu: Number(mtu) };
}

/** Makes the bridge and the container on it; those that were there before under the same names go away. */
export async function attachContainer(options: ContainerOptions): Promise<Container> {
  const { host, subnet, bridge = 'docker0' } = options;
  const gateway = parsePrefix(subnet.bridgeAddress);
  if (gateway === undefined) throw new LabError(`not an address with a length: ${subnet.bridgeAddress}`);
  const address = formatIpv4(gateway.address + 1);
  const namespace = new Namespace(options.namespace);

  await namespace.delete();
  await host.attempt(['ip', 'link', 'delete', bridge]);
  await namespace.create();
  await host.ip(
    `link add ${bridge} mtu ${subnet.mtu} type bridge forward_delay 0`,
    `address add ${subnet.bridgeAddress} dev ${bridge}`,
    `link set ${bridge} up`,
    `link add c-${bridge} mtu ${subnet.mtu} type veth peer name eth0 mtu ${subnet.mtu} netns ${namespace.name}`,
    `link set c-${bridge} master ${bridge} up`,
  );
  await namespace.ip(
    `address add ${address}/${gateway.length} dev eth0`,
    'link set eth0 up',
    `route add default via ${formatIpv4(gateway.address)}`,
  );
  return { namespace, address, gateway: formatIpv4(gateway.address) };
}
