import type { Namespace } from '../../src/lab/namespace.js';

/** Without what the kernel does by itself: timers, a bridge's state, multicast, what is learned, IPv6's own addresses and how it makes them. */
const LOOKS = [
  "ip -details link show | sed -E 's/ ([a-z_]+_timer +[0-9.]+|state [A-Z]+|addrgenmode [a-z0-9]+)//g'",
  "ip -4 address show | sed -E 's/ state [A-Z]+//'",
  'ip -4 route show table all',
  'ip -4 neighbour show nud permanent',
  "bridge fdb show | grep permanent | grep -Ev '^(33:33|01:00:5e):' || true",
  'cat /proc/sys/net/ipv4/ip_forward',
];

/** All that a daemon of ours could change in a kernel, as `ip` and `bridge` print it: to compare byte for byte. */
export async function picture(namespace: Namespace): Promise<string> {
  return namespace.exec(['sh', '-ec', LOOKS.join('\n')]);
}

/** The same for where devices were made anew: the kernel gives those new numbers, and puts them last. */
export function unnumbered(text: string): string[] {
  return text
    .replace(/^\d+: /gm, '')
    .split(/\n(?=\S)/)
    .sort();
}
