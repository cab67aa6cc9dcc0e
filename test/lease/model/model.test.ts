import test from 'ava';
import { blindHolder, overlapInEtcd, overlapInUse, overlapWithinTtl, stubbornHolder } from './invariants.js';
import { type Conditions, exploreProtocol } from './scenarios.js';
import type { World } from './world.js';

type Invariant = (world: World) => string | undefined;

const WITHOUT_CLOCKS: Invariant = (world) =>
  overlapInEtcd(world) ?? stubbornHolder(world) ?? blindHolder(world);
const ALL: Invariant = (world) => WITHOUT_CLOCKS(world) ?? overlapWithinTtl(world);

const kept: readonly (readonly [what: string, conditions: Conditions, invariant: Invariant])[] = [
  ['three that boot at once', { hosts: ['wide', 'narrow', 'narrow'], ttl: 1, expiries: 1 }, ALL],
  [
    'two that crash, reboot and lose an answer',
    { hosts: ['narrow', 'narrow'], ttl: 1, crashes: 1, reboots: 1, lostAnswers: 1 },
    ALL,
  ],
  ['two of different lengths, one of which crashes', { hosts: ['wide', 'narrow'], crashes: 1 }, ALL],
  ['two whose watch tells at any time', { hosts: ['wide', 'narrow'], ttl: 1, watchAlways: true }, ALL],
  ['two that start from a state file', { hosts: ['wide', 'narrow'], reboots: 1, stateFile: 'aging' }, ALL],
  [
    'two whose keys are all deleted',
    { hosts: ['wide', 'narrow'], ttl: 1, wipes: 1, crashes: 1, lostAnswers: 1 },
    WITHOUT_CLOCKS,
  ],
];
for (const [what, conditions, invariant] of kept)
  test(`no two hosts hold overlapping subnets: ${what}`, (t) => {
    const { states, story } = exploreProtocol(conditions, invariant);
    t.log(`${states} states`);
    t.is(story?.join('\n'), undefined);
  });

const broken: readonly (readonly [what: string, conditions: Conditions, invariant: Invariant])[] = [
  [
    'claims are not verified',
    { hosts: ['wide', 'narrow'], rules: { overlappingKey: () => undefined } },
    overlapInEtcd,
  ],
  [
    'a lease of ours is taken up whatever overlaps it',
    { hosts: ['wide', 'narrow'], crashes: 1, rules: { olderOverlap: () => undefined } },
    ALL,
  ],
  [
    'a rewritten key is always ours',
    { hosts: ['narrow', 'narrow'], rules: { isSameHolder: () => true } },
    ALL,
  ],
  [
    'a key that is gone counts as held',
    { hosts: ['narrow', 'narrow'], wipes: 1, rules: { ownKeyState: () => 'held' } },
    WITHOUT_CLOCKS,
  ],
  [
    'a clock runs at two thirds of its speed',
    { hosts: ['narrow', 'narrow'], ttl: 2, ownTtl: 3 },
    overlapWithinTtl,
  ],
  [
    'a state file does not age',
    { hosts: ['narrow', 'narrow'], crashes: 1, stateFile: 'ageless' },
    overlapWithinTtl,
  ],
  ['all keys are deleted, for as long as a TTL', { hosts: ['narrow', 'narrow'], wipes: 1 }, overlapWithinTtl],
  [
    'etcd is restored from a backup that has a claim which was given up',
    { hosts: ['wide', 'narrow'], ttl: 1, restores: 1 },
    overlapInEtcd,
  ],
  [
    'a host is cut off for longer than its TTL, until it hears from etcd',
    { hosts: ['narrow', 'narrow'] },
    overlapInUse,
  ],
];
for (const [what, conditions, invariant] of broken)
  test(`two hosts can come to hold one subnet if ${what}`, (t) => {
    const { story } = exploreProtocol(conditions, invariant);
    t.truthy(story);
    t.log(story!.join('\n'));
  });
