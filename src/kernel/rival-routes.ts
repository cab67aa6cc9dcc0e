/**
 * Foreign routes to a destination of ours with another metric. One that sends packets the very way ours does is what
 * a flanneld left behind, and goes once ours is in place; one that sends them elsewhere and comes before ours is a
 * clash.
 */
import type { DiffInput } from './diff.js';
import type { KernelObject, Route } from './objects.js';
import { isOurs } from './ownership.js';
import { sameWay } from './same-object.js';

export interface Rivalry {
  readonly ours: Route;
  readonly rival: Route;
  readonly verdict: 'leftover' | 'shadows';
}

type Input = Pick<DiffInput, 'desired' | 'observed' | 'owned'>;

/** The destinations of the routes among these keys. */
export function destinationsOf(keys: Iterable<string>, { desired, observed }: Input): Set<string> {
  const destinations = new Set<string>();
  for (const key of keys) {
    const object = desired.get(key) ?? observed.get(key);
    if (object?.kind === 'route') destinations.add(object.destination);
  }
  return destinations;
}

export function* compareRivals(destinations: ReadonlySet<string>, input: Input): Generator<Rivalry> {
  if (destinations.size === 0) return;
  const rivals = foreignRoutesTo(destinations, input);
  if (rivals.size === 0) return;
  for (const ours of input.desired.values()) {
    // A blackhole is for what no other route takes.
    if (ours.kind !== 'route' || ours.type === 'blackhole') continue;
    for (const rival of rivals.get(ours.destination) ?? []) {
      if (rival.metric === ours.metric) continue; // the same key: compared as one route
      if (sameWay(ours, rival)) yield { ours, rival, verdict: 'leftover' };
      else if (rival.metric < ours.metric) yield { ours, rival, verdict: 'shadows' };
    }
  }
}

/** By destination; those that are ours or wanted are nobody's rivals. */
function foreignRoutesTo(destinations: ReadonlySet<string>, input: Input): Map<string, Route[]> {
  const found = new Map<string, Route[]>();
  for (const [key, object] of input.observed) {
    if (!isRouteTo(object, destinations) || input.desired.has(key) || isOurs(object, input.owned)) continue;
    const routes = found.get(object.destination);
    if (routes) routes.push(object);
    else found.set(object.destination, [object]);
  }
  return found;
}

function isRouteTo(object: KernelObject, destinations: ReadonlySet<string>): object is Route {
  return object.kind === 'route' && destinations.has(object.destination);
}
