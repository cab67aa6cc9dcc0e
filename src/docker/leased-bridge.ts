import { readFile } from 'node:fs/promises';
import { parsePrefix } from '../net/prefix.js';
import { parseAssignments } from './assignments.js';
import type { BridgeSettings } from './bridge.js';

/** What the subnet file asks of Docker's bridge; undefined when there is none, or none that says so. */
export async function leasedBridge(subnetFile: string): Promise<BridgeSettings | undefined> {
  const variables = parseAssignments(await readFile(subnetFile, 'utf8').catch(() => ''));
  const bip = parsePrefix(variables.get('FLANNEL_SUBNET') ?? '');
  const mtu = Number(variables.get('FLANNEL_MTU'));
  if (bip === undefined || !(mtu > 0)) return undefined;
  return { bip, mtu, ipMasq: variables.get('FLANNEL_IPMASQ') !== 'true' };
}
