import type { NetworkView, Uplink } from '../../src/backend/backend.js';
import {
  type BackendJson,
  type NetworkConfig,
  backendJson as readBackend,
} from '../../src/config/network.js';
import type { JsonValue } from '../../src/json.js';
import type { Lease } from '../../src/lease/lease.js';
import { parseIpv4 } from '../../src/net/ipv4.js';
import { parsePrefix } from '../../src/net/prefix.js';

/** Views and leases that the backends' tests share: the pool 10.5.0.0/16, this host 192.0.2.1 on 192.0.2.0/24. */

export function backendJson(fields: Record<string, JsonValue>): BackendJson {
  return readBackend({ Type: 'test', ...fields });
}

export const network: NetworkConfig = {
  network: parsePrefix('10.5.0.0/16')!,
  subnetLength: 24,
  subnetMin: parseIpv4('10.5.1.0')!,
  subnetMax: parseIpv4('10.5.255.0')!,
  enableNftables: false,
  backend: backendJson({}),
};

export const uplink: Uplink = {
  name: 'eth0',
  index: 2,
  mtu: 1500,
  address: '192.0.2.1',
  networks: [parsePrefix('192.0.2.0/24')!],
  publicIp: '192.0.2.1',
};

export function viewOf<Options>(options: Options, ownData?: JsonValue): NetworkView<Options> {
  return { network, options, uplink, subnet: parsePrefix('10.5.1.0/24')!, ownData };
}

export function peerLease(
  subnet: string,
  publicIp: string,
  backendType: string,
  backendData?: JsonValue,
): Lease {
  return {
    subnet: parsePrefix(subnet)!,
    attributes: {
      publicIp,
      publicIpV6: null,
      backendType,
      ...(backendData === undefined ? {} : { backendData }),
    },
    leaseId: '7',
    createRevision: 5,
    modRevision: 5,
  };
}
