/** A network config that the daemon would start with, and what it comes to. */
import type { Backend } from '../backend/backend.js';
import { backendFor } from '../backend/registry.js';
import { backendWarnings, type NetworkConfig, parseNetworkConfig } from '../config/network.js';
import { ConfigError } from '../errors.js';
import { poolSize } from '../lease/allocate.js';
import { formatIpv4 } from '../net/ipv4.js';
import { formatPrefix } from '../net/prefix.js';

export interface CheckedConfig {
  readonly network: NetworkConfig;
  readonly backend: Backend;
  readonly backendOptions: unknown;
  readonly warnings: readonly string[];
}

/** The daemon's own parsers, that of the backend included. `source` is for messages. Throws ConfigError. */
export function checkConfig(text: string, source: string): CheckedConfig {
  const { config: network, warnings } = parseNetworkConfig(text, source);
  try {
    const backend = backendFor(network.backend.type);
    const backendOptions = backend.parseOptions(network.backend);
    return { network, backend, backendOptions, warnings: [...warnings, ...backendWarnings(network.backend)] };
  } catch (error) {
    if (error instanceof ConfigError) error.source = source;
    throw error;
  }
}

/** With every default filled in, for `--json`. */
export function effectiveConfig({ network, backend, backendOptions }: CheckedConfig) {
  return {
    network: formatPrefix(network.network),
    subnetLength: network.subnetLength,
    subnets: poolSize(network),
    subnetMin: formatIpv4(network.subnetMin),
    subnetMax: formatIpv4(network.subnetMax),
    backend: { type: backend.type, options: backendOptions ?? {} },
  };
}

/** `10.5.0.0/16: 255 subnets /24, 10.5.1.0 to 10.5.255.0; vxlan vni=1 …` */
export function summariseConfig(checked: CheckedConfig): string {
  const { network, subnetLength, subnets, subnetMin, subnetMax, backend } = effectiveConfig(checked);
  const options = Object.entries(backend.options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${value}`);
  const range = `${subnets} subnets /${subnetLength}, ${subnetMin} to ${subnetMax}`;
  return `${network}: ${range}; ${backend.type}${options.join('')}`;
}
