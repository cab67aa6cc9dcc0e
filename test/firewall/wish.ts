import type { FirewallWish } from '../../src/firewall/firewall.js';
import { parsePrefix } from '../../src/net/prefix.js';

/** A host on host-gw that neither masquerades nor has Docker. */
export function wishFor(network: string, subnet: string, more: Partial<FirewallWish> = {}): FirewallWish {
  return {
    manager: 'iptables',
    network: parsePrefix(network)!,
    subnet: parsePrefix(subnet)!,
    previousNetwork: undefined,
    ipMasq: false,
    fullyRandom: true,
    forwardRules: true,
    links: ['eth0'],
    bridge: 'docker0',
    dockerExpected: false,
    ...more,
  };
}
