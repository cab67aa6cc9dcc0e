import test from 'ava';
import fc from 'fast-check';
import { leaseKey } from '../../src/lease/codec.js';
import type { Lease } from '../../src/lease/lease.js';
import { type Marks, Standing } from '../../src/lease/standing.js';
import type { LeaseKey } from '../../src/lease/store.js';
import { overlaps, type Prefix } from '../../src/net/prefix.js';
import { attributes, lease, prefix } from './leases.js';

const MACS = ['aa', 'bb', 'cc'];

const marks: Marks = {
  /** The MAC, as `backendData` has it here. */
  markOf: ({ attributes: { backendData } }) =>
    typeof backendData === 'string' ? `VTEP MAC ${backendData}` : undefined,
  /** Of one network's subnets each eighth address has another one; elsewhere none follows. */
  markFor: ({ address }) =>
    address >> 8 === 0x0a0500 ? `VTEP MAC ${MACS[(address >> 3) % MACS.length]}` : undefined,
};
const { markOf } = marks;

function make(
  subnet: string,
  createRevision: number,
  mac?: string,
  publicIp = `192.0.2.${createRevision}`,
): Lease {
  const data = attributes(publicIp, mac === undefined ? {} : { backendData: mac });
  return lease(subnet, publicIp, { createRevision, attributes: data });
}

/** Why each is refused, by key; those that stand are left out. */
function refusals(standing: Standing, keys: Iterable<LeaseKey>): Record<string, string> {
  return Object.fromEntries(
    [...keys].sort().flatMap((key) => {
      const obstacle = standing.obstacle(key);
      return obstacle ? [[key, obstacle.reason]] : [];
    }),
  );
}

function atOnce(leases: readonly Lease[]): Record<string, string> {
  const standing = new Standing(marks);
  for (const one of leases) standing.put(leaseKey(one), one);
  for (const _ of standing.settle());
  return refusals(standing, leases.map(leaseKey));
}

const cases: [what: string, leases: readonly Lease[], refused: Record<string, string>][] = [
  ['side by side', [make('10.5.2.0/24', 2), make('10.5.3.0/24', 3)], {}],
  [
    'of which a younger one lies inside an older one',
    [make('10.5.2.128/25', 3), make('10.5.2.0/24', 2)],
    { '10.5.2.128-25': 'overlaps 10.5.2.0/24 of 192.0.2.2, which is older' },
  ],
  [
    'of which a younger one spans older ones, the first in the pool being named',
    [make('10.5.0.0/16', 9), make('10.5.3.0/24', 3), make('10.5.2.0/24', 2)],
    { '10.5.0.0-16': 'overlaps 10.5.2.0/24 of 192.0.2.2, which is older' },
  ],
  [
    'where one that is refused is in nobody’s way',
    [make('10.5.2.0/24', 2), make('10.5.0.0/16', 3), make('10.5.3.0/24', 4)],
    { '10.5.0.0-16': 'overlaps 10.5.2.0/24 of 192.0.2.2, which is older' },
  ],
  [
    'with one MAC',
    [make('10.5.3.0/24', 3, 'aa'), make('10.5.2.0/24', 2, 'aa'), make('10.5.4.0/24', 4, 'bb')],
    { '10.5.3.0-24': 'its VTEP MAC aa is that of 192.0.2.2, whose lease is older' },
  ],
  [
    'with one MAC of one host',
    [make('10.5.3.0/24', 3, 'aa', '192.0.2.2'), make('10.5.2.0/24', 2, 'aa', '192.0.2.2')],
    {},
  ],
  [
    'of which an older one has the MAC that follows from the subnet of a younger one',
    [make('10.5.3.0/24', 2, 'aa'), make('10.5.0.0/28', 5, 'aa'), make('10.5.4.0/24', 4, 'aa')],
    {
      '10.5.3.0-24': 'its VTEP MAC aa is that of 192.0.2.5, whose subnet it follows from',
      '10.5.4.0-24': 'its VTEP MAC aa is that of 192.0.2.5, whose subnet it follows from',
    },
  ],
  [
    'of which an older one has the MAC of one that is refused',
    [make('10.5.0.16/28', 2, 'bb'), make('10.5.0.0/27', 3, 'aa'), make('10.5.3.0/24', 4, 'aa')],
    {
      '10.5.0.0-27': 'overlaps 10.5.0.16/28 of 192.0.2.2, which is older',
      '10.5.3.0-24': 'its VTEP MAC aa is that of 192.0.2.3, whose subnet it follows from',
    },
  ],
  [
    'with one MAC that follows from both their subnets',
    [make('10.5.0.24/29', 3, 'aa'), make('10.5.0.0/29', 2, 'aa')],
    { '10.5.0.24-29': 'its VTEP MAC aa is that of 192.0.2.2, whose lease is older' },
  ],
  [
    'with one public IP',
    [make('10.5.3.0/24', 3, 'aa', '192.0.2.2'), make('10.5.2.0/24', 2, 'bb', '192.0.2.2')],
    {},
  ],
  [
    'of one revision, as the keys sort',
    [make('10.5.2.0/24', 2), make('10.5.2.0/25', 2)],
    { '10.5.2.0-25': 'overlaps 10.5.2.0/24 of 192.0.2.2, which is older' },
  ],
];
for (const [what, leases, refused] of cases)
  test(`leases ${what}: ${Object.keys(refused).join() || 'all'} ${Object.keys(refused).length > 0 ? 'refused' : 'stand'}`, (t) => {
    t.deepEqual(atOnce(leases), refused);
    t.deepEqual(atOnce(leases.toReversed()), refused);
  });

/** The rule, as slowly as it can be said. */
function byTheRule(leases: readonly Lease[]): string[] {
  const inTheWay = (a: Lease, b: Lease) =>
    overlaps(a.subnet, b.subnet) ||
    (markOf(a) !== undefined && markOf(a) === markOf(b) && a.attributes.publicIp !== b.attributes.publicIp);
  const isRightful = (a: Lease) => markOf(a) === marks.markFor(a.subnet);
  const isCopy = (a: Lease) =>
    !isRightful(a) &&
    leases.some(
      (b) => isRightful(b) && markOf(a) === markOf(b) && a.attributes.publicIp !== b.attributes.publicIp,
    );
  const standing: Lease[] = [];
  const refused: string[] = leases.filter(isCopy).map(leaseKey);
  const byAge = leases
    .filter((one) => !isCopy(one))
    .toSorted((a, b) => a.createRevision - b.createRevision || (leaseKey(a) < leaseKey(b) ? -1 : 1));
  for (const one of byAge) {
    if (standing.some((other) => inTheWay(one, other))) refused.push(leaseKey(one));
    else standing.push(one);
  }
  return refused.sort();
}

const subnets: fc.Arbitrary<Prefix> = fc
  .tuple(fc.nat(15), fc.integer({ min: 26, max: 31 }))
  .map(([n, length]) =>
    prefix(`10.5.0.${Math.floor((n * 8) / 2 ** (32 - length)) * 2 ** (32 - length)}/${length}`),
  );
const leases: fc.Arbitrary<Lease> = fc
  .record({
    subnet: subnets,
    createRevision: fc.nat(12),
    host: fc.nat(3),
    mac: fc.option(fc.constantFrom(...MACS), { nil: undefined }),
  })
  .map(({ subnet, createRevision, host, mac }) => ({
    ...make('10.5.0.0/24', createRevision, mac, `192.0.2.${host}`),
    subnet,
  }));
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: leases.map((one) => ({ kind: 'put', lease: one }) as const) },
    {
      weight: 2,
      arbitrary: subnets.map((subnet) => ({ kind: 'delete', key: leaseKey({ subnet }) }) as const),
    },
    {
      weight: 1,
      arbitrary: subnets.map((subnet) => ({ kind: 'yield', key: leaseKey({ subnet }) }) as const),
    },
    { weight: 3, arbitrary: fc.constant({ kind: 'settle' } as const) },
  ),
  { maxLength: 60 },
);

test('any order of events gives what the rule gives, and what the leases give at once', (t) => {
  fc.assert(
    fc.property(steps, (taken) => {
      const standing = new Standing(marks);
      const present = new Map<LeaseKey, Lease>();
      /** What whoever follows the changes believes. */
      const followed = new Map<LeaseKey, string | undefined>();
      const settle = () => {
        for (const key of standing.settle()) followed.set(key, standing.obstacle(key)?.reason);
      };
      for (const step of taken) {
        if (step.kind === 'put') {
          standing.put(leaseKey(step.lease), step.lease);
          present.set(leaseKey(step.lease), step.lease);
        } else if (step.kind === 'delete') {
          standing.delete(step.key);
          present.delete(step.key);
          followed.delete(step.key);
        } else if (step.kind === 'yield') {
          standing.yield(step.key);
          const known = present.get(step.key);
          if (known) present.set(step.key, { ...known, createRevision: Number.POSITIVE_INFINITY });
        } else settle();
      }
      settle();
      const all = [...present.values()];
      t.deepEqual(refusals(standing, present.keys()), atOnce(all));
      t.deepEqual(Object.keys(atOnce(all)).sort(), byTheRule(all));
      const told = [...followed].filter(([, reason]) => reason !== undefined);
      t.deepEqual(Object.fromEntries(told.sort(([a], [b]) => (a < b ? -1 : 1))), atOnce(all));
    }),
    { numRuns: 2_000 },
  );
});

/** Milliseconds to learn of 10,000 leases at once, and then of changes of every tenth, one by one. */
function milliseconds(each: (n: number) => Lease): number {
  const begun = performance.now();
  const standing = new Standing(marks);
  const all = Array.from({ length: 10_000 }, (_, n) => each(n));
  for (const one of all) standing.put(leaseKey(one), one);
  for (const _ of standing.settle());
  for (const one of all.filter((_, n) => n % 10 === 0)) {
    standing.delete(leaseKey(one));
    standing.put(leaseKey(one), { ...one, createRevision: one.createRevision + 20_000 });
    for (const _ of standing.settle());
  }
  return performance.now() - begun;
}

const subnetAt = (n: number) => `10.${n >> 8}.${n & 255}.0/24`;
const addressAt = (n: number) => `198.51.${n >> 8}.${n & 255}`;

for (const [what, each] of [
  ['that have nothing in common', (n: number) => make(subnetAt(n), n, `mac ${n}`, addressAt(n))],
  ['of which one spans all others', (n: number) => (n === 0 ? make('10.0.0.0/8', 0) : make(subnetAt(n), n))],
  ['that are one host’s', (n: number) => make(subnetAt(n), n, 'aa', '192.0.2.1')],
  [
    'that have one MAC',
    (n: number) => make(subnetAt(n), 10_000 - n, n % 10 === 0 ? `${n}` : 'aa', addressAt(n)),
  ],
] as const)
  test(`ten thousand leases ${what} and a thousand changes take no more than seconds`, (t) => {
    const taken = milliseconds(each);
    t.log(`${Math.round(taken)} ms`);
    t.true(taken < 3_000, `${taken}`);
  });
