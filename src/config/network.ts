import type { JsonValue } from '../json.js';
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

/** The `Backend` object of the network config, its keys looked up whatever their case. */
export interface BackendJson {
  readonly type: string;
  /** The value of a field, or undefined. `Backend.VNI` is `field('VNI')`. Marks the field as known. */
  field(name: string): JsonValue | undefined;
  /** Names of fields that no one has asked for, as they were spelt. */
  unknown(): readonly string[];
}
