import type { BackendJson } from '../backend/backend.js';
import type { Ipv4 } from '../net/ipv4.js';
import type { Prefix } from '../net/prefix.js';

/** flannel's network config (pkg/subnet/config.go), checked, with its defaults filled in. */
export interface NetworkConfig {
  /** The pool. */
  readonly network: Prefix;
  readonly subnetLength: number;
  /** Base addresses of the first and the last subnet that may be leased. */
  readonly subnetMin: Ipv4;
  readonly subnetMax: Ipv4;
  readonly enableNftables: boolean;
  readonly backend: BackendJson;
}
