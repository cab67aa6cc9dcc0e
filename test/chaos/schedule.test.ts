import test from 'ava';
import fc from 'fast-check';
import { KINDS } from '../../chaos/kinds.js';
import { Random } from '../../chaos/random.js';
import { mayCostPackets } from '../../chaos/round.js';
import { describe, type Event, HOSTS, type Round, rounds } from '../../chaos/schedule.js';

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function firstRounds(seed: number, count: number): Round[] {
  return Array.from(
    { length: count },
    (
      (all) => () =>
        all.next().value
    )(rounds(seed)),
  );
}

const told = (all: readonly Round[]) => all.map(({ events }) => events.map(describe));

test('a seed has one schedule, and another seed another', (t) => {
  fc.assert(
    fc.property(seeds, (seed) => {
      t.deepEqual(told(firstRounds(seed, 20)), told(firstRounds(seed, 20)));
      t.notDeepEqual(told(firstRounds(seed, 20)), told(firstRounds(seed + 1, 20)));
    }),
    { numRuns: 50 },
  );
});

test('every round has an event, and no part suffers two at once', (t) => {
  fc.assert(
    fc.property(seeds, (seed) => {
      for (const { events } of firstRounds(seed, 20)) {
        const parts = events.map(({ on }) => on ?? 'etcd');
        t.true(parts.length > 0 && new Set(parts).size === parts.length);
      }
    }),
    { numRuns: 50 },
  );
});

test('in a thousand rounds everything happens, and to every host', (t) => {
  const events = firstRounds(7, 1000).flatMap((round) => round.events);
  t.is(new Set(events.map(({ kind }) => kind)).size, KINDS.length);
  t.deepEqual([...new Set(events.map(({ on }) => on ?? 'etcd'))].sort(), ['etcd', ...HOSTS]);
});

test('packets may be lost when a host is struck, not when etcd is or a daemon is away for a moment', (t) => {
  const event = (name: string, lastsMs: number): Event => {
    const kind = KINDS.find((candidate) => candidate.name === name)!;
    const on = kind.part === 'host' ? 'h1' : undefined;
    return { kind, on, beginsAtMs: 0, lastsMs, disturbance: kind.prepare(new Random(1), on) };
  };
  const killed = event('lodend is killed', 500);
  t.false(mayCostPackets([event('all members hang', 8_000)], 'udp'));
  t.false(mayCostPackets([killed], 'vxlan'));
  t.true(mayCostPackets([killed], 'udp'));
  t.true(mayCostPackets([event('lodend is killed', 5_000)], 'vxlan'));
  t.true(mayCostPackets([event('it reboots', 0)], 'vxlan'));
  t.true(mayCostPackets([event('all members hang', 0), killed], 'vxlan'));
});
