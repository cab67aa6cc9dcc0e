import { backendWarnings, type NetworkConfig, parseNetworkConfig } from '../config/network.js';
import { ConfigError } from '../errors.js';
import type { Backend } from './backend.js';
import { backendFor } from './registry.js';

/** A network config that a daemon can follow, read with the parsers of both the network and its backend. */
export interface CheckedConfig {
  readonly network: NetworkConfig;
  readonly backend: Backend;
  readonly backendOptions: unknown;
  readonly warnings: readonly string[];
}

/** `source` is for messages. Throws ConfigError. */
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
