import type { BackendJson } from '../../config/network.js';

/** flannel's options of the vxlan backend (pkg/backend/vxlan/vxlan.go). */
export interface VxlanOptions {
  /** Names the device, `flannel.<vni>`, and tells networks on one underlay apart. */
  readonly vni: number;
  /** UDP destination port. */
  readonly port: number;
  /** Bytes of the underlay, before the encapsulation is taken off; undefined: the uplink's. */
  readonly mtu: number | undefined;
  readonly gbp: boolean;
  readonly learning: boolean;
  /** Peers that are on-link get a plain route instead of the tunnel. */
  readonly directRouting: boolean;
}

/** The kernel takes 24 bits, but `flannel.<VNI>` has to fit into the 15 characters of an interface's name. */
const LARGEST_VNI = 9_999_999;

/** What Linux uses when no port is given; IANA's 4789 came later. */
const LINUX_DEFAULT_PORT = 8472;

export function parseVxlanOptions(json: BackendJson): VxlanOptions {
  return {
    vni: json.count('VNI', LARGEST_VNI) ?? 1,
    port: json.count('Port', 65535) || LINUX_DEFAULT_PORT,
    mtu: json.count('MTU', 65535) || undefined,
    gbp: json.boolean('GBP', false),
    learning: json.boolean('Learning', false),
    directRouting: json.boolean('DirectRouting', false),
  };
}
