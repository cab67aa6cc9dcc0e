/** What a network config comes to, for people and for scripts. */
import type { CheckedConfig } from '../backend/checked-config.js';
import { poolSize } from '../lease/allocate.js';
import { formatIpv4 } from '../net/ipv4.js';
import { formatPrefix } from '../net/prefix.js';

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
