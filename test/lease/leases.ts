/** Leases for tests, short to write. */
import { backendJson, type NetworkConfig } from '../../src/config/network.js';
import type { HostMarks, Lease, LeaseAttributes } from '../../src/lease/lease.js';
import { parseIpv4 } from '../../src/net/ipv4.js';
import { type Prefix, parsePrefix, prefixSize } from '../../src/net/prefix.js';

export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (!parsed) throw new Error(`${text} is not a prefix`);
  return parsed;
}

export function attributes(publicIp: string, more: Partial<LeaseAttributes> = {}): LeaseAttributes {
  return { publicIp, publicIpV6: null, backendType: 'host-gw', ...more };
}

/** Another identity for another address, all booted once. */
export function host(publicIp: string, more: Partial<HostMarks> = {}): HostMarks {
  return { publicIp, identity: `identity of ${publicIp}`, boot: 'first', ...more };
}

export function lease(subnet: string, publicIp: string, more: Partial<Lease> = {}): Lease {
  return {
    subnet: prefix(subnet),
    attributes: attributes(publicIp),
    leaseId: '7587',
    createRevision: 2,
    modRevision: 2,
    ...more,
  };
}

/** A pool; by default from the second subnet to the last, as flannel has it. */
export function pool(
  network: string,
  subnetLength: number,
  range: { min?: string; max?: string } = {},
): NetworkConfig {
  const { address, length } = prefix(network);
  const size = prefixSize(subnetLength);
  return {
    network: { address, length },
    subnetLength,
    subnetMin: range.min === undefined ? address + size : parseIpv4(range.min)!,
    subnetMax: range.max === undefined ? address + prefixSize(length) - size : parseIpv4(range.max)!,
    enableNftables: false,
    backend: backendJson({ Type: 'host-gw' }),
  };
}
