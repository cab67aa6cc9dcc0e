/**
 * Which packets of a flow an iptables rule applies to, and where it sends them. Understands what Docker, flannel and
 * common firewalls write; of a match that it does not know it says so.
 */
import { contains, parsePrefix } from '../net/prefix.js';
import type { Flow, FlowEnd } from './flow.js';

/** `unknown`: something that this program does not understand decides. */
export type Extent = 'all' | 'some' | 'none' | 'unknown';

export interface Matched {
  readonly extent: Extent;
  /** `ACCEPT`, `DROP`, the name of a chain …; empty for a rule that only counts. */
  readonly target: string;
  /** By `-g`: what follows the target is what follows this chain. */
  readonly isGoto: boolean;
}

/** Cuts at blanks, but not inside quotes. */
function wordsOf(rule: string): readonly string[] {
  return (rule.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/s, '$1'));
}

export function match(rule: string, flow: Flow): Matched {
  const words = wordsOf(rule);
  const extents: Extent[] = [];
  let target = '';
  let isGoto = false;
  for (let i = 0; i < words.length; i++) {
    const negated = words[i] === '!';
    const option = words[negated ? ++i : i]!;
    const value = words[i + 1] ?? '';
    if (option === '-j' || option === '-g') {
      target = value;
      isGoto = option === '-g';
      break; // what follows are the target's own options
    }
    if (option === '-m') {
      if (!KNOWN_MATCHES.has(value)) extents.push('unknown');
    } else {
      const extent = OPTIONS.get(option)?.(value, flow) ?? 'unknown';
      extents.push(negated ? OPPOSITE[extent] : extent);
    }
    i += 1;
  }
  return { extent: extents.reduce(both, 'all'), target, isGoto };
}

/** Their options are in OPTIONS; those that are not make the rule an unknown one. */
const KNOWN_MATCHES = new Set(['comment', 'conntrack', 'state', 'tcp', 'udp', 'addrtype']);
const OPPOSITE: Readonly<Record<Extent, Extent>> = {
  all: 'none',
  none: 'all',
  some: 'some',
  unknown: 'unknown',
};

/** A map, as a rule may name an option as JavaScript names what every object has. */
const OPTIONS = new Map<string, (value: string, flow: Flow) => Extent>([
  ['-s', (value, flow) => address(value, flow.source)],
  ['-d', (value, flow) => address(value, flow.destination)],
  ['-i', (value, flow) => link(value, flow.inLink)],
  ['-o', (value, flow) => link(value, flow.outLink)],
  ['-p', () => 'some'],
  ['--dport', () => 'some'],
  ['--sport', () => 'some'],
  ['--comment', () => 'all'],
  ['--ctstate', (value) => (value.split(',').includes('NEW') ? 'all' : 'none')],
  ['--state', (value) => (value.split(',').includes('NEW') ? 'all' : 'none')],
  // What is forwarded is for no address of this host.
  ['--dst-type', (value) => (value === 'LOCAL' ? 'none' : 'unknown')],
  ['--src-type', (value) => (value === 'LOCAL' ? 'none' : 'unknown')],
]);

function address(value: string, end: FlowEnd): Extent {
  const network = parsePrefix(value.includes('/') ? value : `${value}/32`);
  if (network === undefined) return 'unknown';
  if (end.except !== undefined && contains(end.except, network)) return 'none';
  if (contains(network, end.network)) return 'all';
  return contains(end.network, network) ? 'some' : 'none';
}

/** `eth+` is every link whose name begins with eth. */
function link(value: string, name: string): Extent {
  const isIt = value.endsWith('+') ? name.startsWith(value.slice(0, -1)) : name === value;
  return isIt ? 'all' : 'none';
}

function both(one: Extent, other: Extent): Extent {
  for (const extent of ['none', 'unknown', 'some'] as const) {
    if (one === extent || other === extent) return extent;
  }
  return 'all';
}
