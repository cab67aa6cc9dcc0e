/**
 * A pool of three subnets that two configs cut up differently, as while a network is being renumbered:
 *
 *     10.5.0.0/23                      for hosts of the kind `wide`
 *     10.5.0.0/24    10.5.1.0/24       for hosts of the kind `narrow`
 */
import { attributes, pool, prefix } from '../leases.js';
import { EMPTY } from './etcd.js';
import { type Exploration, explore } from './explore.js';
import type { Symmetry } from './key.js';
import { protocol } from './protocol.js';
import { type Budget, type Kind, RULES, type Rules, type World } from './world.js';

const NETWORKS = {
  wide: pool('10.5.0.0/22', 23, { min: '10.5.0.0', max: '10.5.0.0' }),
  narrow: pool('10.5.0.0/22', 24, { min: '10.5.0.0', max: '10.5.1.0' }),
};

/** The halves of the wide one are alike. */
const SUBNETS = [
  ['10.5.0.0/23', '10.5.0.0/24', '10.5.1.0/24'],
  ['10.5.0.0/23', '10.5.1.0/24', '10.5.0.0/24'],
].map((texts) => texts.map(prefix));

const NOTHING_HAPPENS: Budget = {
  crashes: 0,
  reboots: 0,
  lostAnswers: 0,
  expiries: Number.POSITIVE_INFINITY,
  wipes: 0,
  restores: 0,
};

/** What a scenario may change; without it two hosts run for ever, and their leases expire as late as may be. */
export interface Conditions extends Partial<Budget> {
  readonly hosts: readonly (keyof typeof NETWORKS)[];
  readonly ttl?: number;
  readonly ownTtl?: number;
  readonly stateFile?: 'none' | 'aging' | 'ageless';
  readonly watchAlways?: boolean;
  readonly rules?: Partial<Rules>;
}

const MOST_STATES = 500_000;

export function exploreProtocol(
  conditions: Conditions,
  broken: (world: World) => string | undefined,
): Exploration {
  const {
    ttl = 2,
    ownTtl = ttl,
    stateFile = 'none',
    watchAlways = false,
    rules,
    hosts,
    ...budget
  } = conditions;
  const kinds = hosts.map(
    (network, index): Kind => ({
      attributes: attributes(`192.0.2.${index + 1}`, { identity: `host ${index + 1}` }),
      network: NETWORKS[network],
    }),
  );
  const scenario = {
    ttl,
    ownTtl,
    stateFile,
    watchAlways,
    kinds,
    rules: { ...RULES, ...rules },
    budget: { ...NOTHING_HAPPENS, ...budget },
    symmetries: symmetriesOf(kinds),
    broken,
  };
  return explore(protocol(scenario, EMPTY), MOST_STATES);
}

function symmetriesOf(kinds: readonly Kind[]): Symmetry[] {
  const orders = permutations(kinds.length).filter((order) =>
    order.every((host, place) => kinds[host]!.network === kinds[place]!.network),
  );
  return orders.flatMap((hosts) => SUBNETS.map((subnets) => ({ hosts, subnets })));
}

function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  const last = count - 1;
  return permutations(last).flatMap((order) =>
    Array.from({ length: count }, (_, place) => order.toSpliced(place, 0, last)),
  );
}
