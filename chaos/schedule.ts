/** What happens when: the same for the same seed. How long the network then takes to rest is not part of it. */
import type { Disturbance, Kind } from './disturbance.js';
import { KINDS } from './kinds.js';
import { Random } from './random.js';

export const HOSTS = ['h1', 'h2', 'h3', 'h4', 'h5'] as const;

/** Within a round. */
export interface Event {
  readonly kind: Kind;
  /** The host that it befalls; undefined for etcd. */
  readonly on: string | undefined;
  readonly beginsAtMs: number;
  readonly lastsMs: number;
  readonly disturbance: Disturbance;
}

export interface Round {
  readonly number: number;
  readonly events: readonly Event[];
}

/**
 * The lease TTL in the run: some events outlast it. A member that falls silent is given up after 5 s and another one
 * dialled, and a renewal is due every third of a TTL: with a shorter one, leases would expire before that is over.
 */
export const TTL_SECONDS = 12;
const LONGEST_MS = 16_000;
const MOST_EVENTS = 4;

/** Without end. */
export function* rounds(seed: number): Generator<Round, never> {
  const random = new Random(seed);
  for (let number = 1; ; number++) yield { number, events: drawEvents(random) };
}

function drawEvents(random: Random): Event[] {
  const events: Event[] = [];
  const taken = new Set<string>();
  for (let left = random.integer(1, MOST_EVENTS); left > 0; left--) {
    const kind = random.pick(KINDS);
    const host = random.pick(HOSTS);
    const on = kind.part === 'host' ? host : undefined;
    const event = {
      kind,
      on,
      beginsAtMs: random.integer(0, 2_000),
      // Short ones are more frequent.
      lastsMs: Math.round(LONGEST_MS * random.fraction() ** 2),
      disturbance: kind.prepare(random, on),
    };
    const part = on ?? 'etcd';
    if (!taken.has(part)) events.push(event);
    taken.add(part);
  }
  return events;
}

/** `at 1.2 s for 3.4 s: h2: lodend is killed` */
export function describe({ kind, on, beginsAtMs, lastsMs, disturbance }: Event): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const detail = disturbance.detail === undefined ? '' : ` (${disturbance.detail})`;
  return `at ${seconds(beginsAtMs)} for ${seconds(lastsMs)}: ${on === undefined ? '' : `${on}: `}${kind.name}${detail}`;
}
