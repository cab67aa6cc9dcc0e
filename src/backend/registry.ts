import { ConfigError } from '../errors.js';
import { alloc } from './alloc/alloc.js';
import type { Backend } from './backend.js';
import { hostgw } from './hostgw/hostgw.js';
import { udp } from './udp/udp.js';
import { vxlan } from './vxlan/vxlan.js';

/** One line per backend. */
const backends: readonly Backend[] = [vxlan, hostgw, udp, alloc];

/** Types that flannel has and loden has not. */
const NOT_HERE = ['wireguard', 'ipip', 'ipsec', 'extension', 'tencent-vpc', 'ali-vpc', 'aws-vpc', 'gce'];

export const backendTypes: readonly string[] = backends.map((backend) => backend.type);

/** Finds the backend that `Backend.Type` names. Throws ConfigError. */
export function backendFor(type: string): Backend {
  const found = backends.find((backend) => backend.type === type.toLowerCase());
  if (found) return found;
  const choice = `set Backend.Type to one of ${backendTypes.join(', ')}`;
  throw new ConfigError('Backend.Type', `${reasonFor(type)}; ${choice}`, { value: type });
}

function reasonFor(type: string): string {
  if (NOT_HERE.includes(type)) return `flannel's ${type} backend is not in loden`;
  return `unknown backend type: ${type || '(empty)'}`;
}
