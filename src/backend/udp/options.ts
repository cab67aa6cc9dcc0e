import type { BackendJson } from '../../config/network.js';

/** flannel's option of the udp backend (pkg/backend/udp/udp_amd64.go), and the MTU as with vxlan. */
export interface UdpOptions {
  /** UDP port, the same on every host. */
  readonly port: number;
  /** Bytes of the underlay, before the encapsulation is taken off; undefined: the uplink's. */
  readonly mtu: number | undefined;
}

const FLANNEL_DEFAULT_PORT = 8285;

export function parseUdpOptions(json: BackendJson): UdpOptions {
  return {
    port: json.count('Port', 65535) || FLANNEL_DEFAULT_PORT,
    mtu: json.count('MTU', 65535) || undefined,
  };
}
