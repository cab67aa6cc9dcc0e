import test from 'ava';
import { OwnKey } from '../../../src/agent/lease/own-key.js';
import { leaseKey } from '../../../src/lease/codec.js';
import type { Lease } from '../../../src/lease/lease.js';
import type { LeaseSnapshot } from '../../../src/lease/store.js';
import { attributes, lease } from '../../lease/leases.js';

const ours = lease('10.5.34.0/24', '192.0.2.1', {
  attributes: attributes('192.0.2.1', { identity: 'a' }),
  modRevision: 50,
  createRevision: 40,
});
const theirs = attributes('192.0.2.9', { identity: 'b' });

const snapshot = (revision: number, ...leases: Lease[]): LeaseSnapshot => ({
  revision,
  leases: new Map(leases.map((each) => [leaseKey(each), each])),
  skipped: [],
});
const ownKey = (wanted = ours.attributes) => new OwnKey(ours, wanted);

function shownAll(shown: LeaseSnapshot, restored = false): OwnKey {
  const own = ownKey();
  own.showAll(shown, restored);
  return own;
}

test('a snapshot from before our writing says nothing', (t) => {
  t.is(shownAll(snapshot(49)).state, 'held');
  t.is(shownAll(snapshot(49, { ...ours, attributes: theirs, modRevision: 20 })).state, 'held');
});

test('a snapshot from after it says what is there now', (t) => {
  t.is(shownAll(snapshot(50, ours)).state, 'held');
  t.is(shownAll(snapshot(50)).state, 'gone');
  t.is(shownAll(snapshot(60, { ...ours, attributes: theirs, modRevision: 55 })).state, 'taken');
  t.is(shownAll(snapshot(60, { ...ours, leaseId: '1', modRevision: 55 })).state, 'rewritten');
});

test('out of a backup, what stands under our key is ours to put right whatever its revision', (t) => {
  for (const [shown, state] of [
    [snapshot(30), 'gone'],
    [snapshot(30, { ...ours, leaseId: '1', modRevision: 20 }), 'rewritten'],
    [snapshot(30, { ...ours, attributes: theirs, modRevision: 20 }), 'taken'],
  ] as const) {
    const own = shownAll(shown, true);
    t.is(own.state, state);
    t.is(own.isRestored, state !== 'gone');
  }
  const same = shownAll(snapshot(30, { ...ours, modRevision: 20 }), true);
  t.is(same.state, 'held');
  t.false(same.isRestored);
  t.is(same.lease.modRevision, 20);
});

test('a key that is older than our writing in a later state is out of a backup, told or not', (t) => {
  const own = shownAll(snapshot(70, { ...ours, attributes: theirs, modRevision: 20 }));
  t.is(own.state, 'taken');
  t.true(own.isRestored);
});

test('after a backup, events with its revisions are news', (t) => {
  const own = shownAll(snapshot(30, { ...ours, leaseId: '1', modRevision: 20 }), true);
  own.settling();
  own.settled({ ...ours, modRevision: 31 });
  own.show({
    kind: 'put',
    key: leaseKey(ours),
    lease: { ...ours, attributes: theirs, modRevision: 32 },
    previous: undefined,
  });
  t.is(own.state, 'taken');
  t.false(own.isRestored);
});

test('a lease that should say something else by now is outdated until it does', (t) => {
  const moved = { ...ours.attributes, publicIp: '192.0.2.2' };
  const own = ownKey(moved);
  t.is(own.state, 'outdated');
  own.settled({ ...ours, attributes: moved, modRevision: 51 });
  t.is(own.state, 'held');
});

test('what we wrote without learning that it was done is not another host’s', (t) => {
  const moved = { ...ours.attributes, publicIp: '192.0.2.2' };
  const own = ownKey(moved);
  const lease = { ...ours, attributes: moved, modRevision: 51 };
  own.show({ kind: 'put', key: leaseKey(ours), lease, previous: ours });
  t.is(own.state, 'rewritten');
});
