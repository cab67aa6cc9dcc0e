import { firstAddress, formatPrefix, lastAddress, type Prefix } from '../net/prefix.js';

/** What Docker's default bridge should be on this host. */
export interface BridgeSettings {
  /** The host's own address on it, and the length of the subnet. */
  readonly bip: Prefix;
  /** Bytes. */
  readonly mtu: number;
  /** Whether Docker masquerades what leaves the bridge: not where we do it. */
  readonly ipMasq: boolean;
  /** To let in packets that are routed straight to a container's address. Only where Docker has that option. */
  readonly allowDirectRouting?: boolean;
}

/** Why dockerd would not take an address for its bridge; undefined when it would. `dockerd --validate` does not tell. */
export function bipFault(bip: Prefix): string | undefined {
  const text = formatPrefix(bip);
  if (bip.length > 30) return `${text} leaves no address for a container`;
  if (bip.address === firstAddress(bip)) return `${text} is the subnet itself, not an address in it`;
  if (bip.address === lastAddress(bip)) return `${text} is the broadcast address of its subnet`;
  return undefined;
}
