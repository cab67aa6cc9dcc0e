import type { Kernel } from '../kernel/kernel.js';
import { contains, equalPrefixes, type Prefix } from '../net/prefix.js';
import type { Drop, Firewall } from './firewall.js';

interface DropsInput {
  readonly network: Prefix;
  /** This host's. */
  readonly subnet: Prefix;
  readonly kernel: Pick<Kernel, 'routes'>;
  readonly firewall: Pick<Firewall, 'check'>;
  readonly signal: AbortSignal;
}

/**
 * What drops packets between this host's containers and others as things are, for somebody who looks from outside the
 * daemon: the kernel's routes tell by which links such packets go. None without a peer, as then nothing goes anywhere.
 */
export async function dropsOnHost(input: DropsInput): Promise<readonly Drop[]> {
  const { network, subnet, kernel, firewall, signal } = input;
  const routes = (await kernel.routes(signal)).filter(({ destination }) => contains(network, destination));
  const links = (own: boolean) =>
    routes.flatMap(({ destination, link }) =>
      link !== undefined && equalPrefixes(destination, subnet) === own ? [link] : [],
    );
  const { drops } = await firewall.check(
    {
      // Rules of iptables are looked at where it is; this manager can do without.
      manager: 'nftables',
      network,
      subnet,
      previousNetwork: undefined,
      ipMasq: false,
      fullyRandom: false,
      forwardRules: true,
      links: [...new Set(links(false))],
      bridge: links(true)[0] ?? 'docker0',
      dockerExpected: false,
    },
    signal,
  );
  return drops;
}
