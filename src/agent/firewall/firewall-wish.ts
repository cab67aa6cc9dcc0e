import type { DaemonOptions } from '../../config/options/daemon.js';
import type { FirewallWish } from '../../firewall/firewall.js';
import type { Interface, Kernel } from '../../kernel/kernel.js';
import { parseIpv4 } from '../../net/ipv4.js';
import { contains, equalPrefixes, type Prefix } from '../../net/prefix.js';
import type { Survey } from '../survey.js';

type FirewallOptions = Pick<
  DaemonOptions,
  'ipMasq' | 'ipMasqFullyRandomDisable' | 'iptablesForwardRules' | 'docker'
>;

interface WishInput {
  readonly options: FirewallOptions;
  readonly survey: Survey;
  readonly subnet: Prefix;
  readonly kernel: Pick<Kernel, 'interfaces'>;
  readonly signal: AbortSignal;
}

/** Docker's own, where no link has an address of the subnet yet. */
const USUAL_BRIDGE = 'docker0';

/** What the firewall is to let through and to masquerade on a host that holds `subnet`. */
export async function firewallWish({
  options,
  survey,
  subnet,
  kernel,
  signal,
}: WishInput): Promise<FirewallWish> {
  const { network, backend, backendOptions, uplink, owned } = survey;
  const links = await kernel.interfaces(signal);
  return {
    manager: network.enableNftables ? 'nftables' : 'iptables',
    network: network.network,
    subnet,
    previousNetwork: owned.pools.find((pool) => !equalPrefixes(pool, network.network)),
    ipMasq: options.ipMasq,
    fullyRandom: !options.ipMasqFullyRandomDisable,
    forwardRules: options.iptablesForwardRules,
    links: backend.peerLinks(backendOptions, uplink),
    bridge:
      links.find((link) => !owned.links.includes(link.name) && isOn(link, subnet))?.name ?? USUAL_BRIDGE,
    dockerExpected: options.docker !== 'off',
  };
}

function isOn({ addresses }: Interface, subnet: Prefix): boolean {
  return addresses.some(({ address }) => contains(subnet, parseIpv4(address)!));
}
