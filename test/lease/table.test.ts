import test from 'ava';
import fc from 'fast-check';
import type { Lease } from '../../src/lease/lease.js';
import type { LeaseSnapshot, LeaseUpdate } from '../../src/lease/store.js';
import { LeaseTable } from '../../src/lease/table.js';
import { attributes, lease } from './leases.js';

const a = lease('10.5.1.0/24', '192.0.2.1');
const b = lease('10.5.2.0/24', '192.0.2.2');
const c = lease('10.5.3.0/24', '192.0.2.3');

function snapshot(leases: Record<string, Lease>, skipped: LeaseSnapshot['skipped'] = []): LeaseSnapshot {
  return { leases: new Map(Object.entries(leases)), revision: 9, skipped };
}

test('a put that tells something new is a change, with what was there before', (t) => {
  const table = new LeaseTable();
  const moved = { ...a, attributes: attributes('192.0.2.9'), modRevision: 5 };
  t.deepEqual(table.fold({ kind: 'put', key: 'a', lease: a }), [
    { kind: 'put', key: 'a', lease: a, previous: undefined },
  ]);
  t.deepEqual(table.fold({ kind: 'put', key: 'a', lease: { ...a } }), []);
  t.deepEqual(table.fold({ kind: 'put', key: 'a', lease: moved }), [
    { kind: 'put', key: 'a', lease: moved, previous: a },
  ]);
  t.is(table.leases.get('a'), moved);
});

test('deleting what is not there is no change', (t) => {
  const table = new LeaseTable(snapshot({ a }));
  t.deepEqual(table.fold({ kind: 'delete', key: 'b' }), []);
  t.deepEqual(table.fold({ kind: 'delete', key: 'a' }), [{ kind: 'delete', key: 'a', previous: a }]);
  t.is(table.leases.size, 0);
});

test('a snapshot comes out as the difference, deletions first and changed attributes included', (t) => {
  const table = new LeaseTable(snapshot({ a, b }));
  const changed = { ...b, attributes: attributes('192.0.2.7') };
  const changes = table.fold({ kind: 'snapshot', snapshot: snapshot({ b: changed, c }) });
  t.deepEqual(changes, [
    { kind: 'delete', key: 'a', previous: a },
    { kind: 'put', key: 'b', lease: changed, previous: b },
    { kind: 'put', key: 'c', lease: c, previous: undefined },
  ]);
});

test('a lease whose value becomes unreadable is gone, and is back when it can be read', (t) => {
  const table = new LeaseTable(snapshot({ a }));
  t.deepEqual(
    table.fold({
      kind: 'skipped',
      skipped: { key: 'a', reason: 'not JSON', createRevision: 2, modRevision: 3 },
    }),
    [{ kind: 'delete', key: 'a', previous: a }],
  );
  t.deepEqual([...table.skipped], [['a', 'not JSON']]);
  table.fold({ kind: 'put', key: 'a', lease: a });
  t.is(table.skipped.size, 0);
  t.is(table.leases.get('a'), a);
});

test('a loss of the connection changes no lease', (t) => {
  const table = new LeaseTable(snapshot({ a }));
  t.deepEqual(table.fold({ kind: 'disconnected', reason: 'gone', refused: false }), []);
  t.deepEqual(table.fold({ kind: 'connected' }), []);
  t.is(table.leases.size, 1);
});

test('whoever applies the changes has the table, after any updates', (t) => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const anyLease = fc.nat(3).map((n) => lease('10.5.1.0/24', `192.0.2.${n}`, { modRevision: n }));
  const update: fc.Arbitrary<LeaseUpdate> = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), key, lease: anyLease }),
    fc.record({ kind: fc.constant('delete' as const), key }),
    key.map((key) => ({
      kind: 'skipped' as const,
      skipped: { key, reason: 'bad', createRevision: 2, modRevision: 3 },
    })),
    fc.dictionary(key, anyLease).map((leases) => ({ kind: 'snapshot' as const, snapshot: snapshot(leases) })),
  );
  fc.assert(
    fc.property(fc.array(update), (updates) => {
      const table = new LeaseTable();
      const follower = new Map<string, Lease>();
      for (const change of updates.flatMap((update) => table.fold(update))) {
        t.deepEqual(follower.get(change.key), change.previous);
        if (change.kind === 'put') follower.set(change.key, change.lease);
        else follower.delete(change.key);
      }
      t.deepEqual(follower, new Map(table.leases));
    }),
  );
});
