import test from 'ava';
import { Mirror } from '../../../src/agent/reconcile/mirror.js';
import type { Change } from '../../../src/kernel/kernel.js';
import { type Address, keyOf } from '../../../src/kernel/objects.js';

const address: Address = { kind: 'address', link: 'flannel.1', address: '10.5.1.0/32' };
const key = keyOf(address);
const addition: Change = { kind: 'add', object: address };

test('what the kernel tells is there, and has to be looked at again', (t) => {
  const mirror = new Mirror();
  t.true(mirror.tell(key, address));
  t.deepEqual(mirror.objects.get(key), address);
  t.true(mirror.tell(key, undefined));
  t.false(mirror.objects.has(key));
});

test('what was applied is not there until the kernel says so', (t) => {
  const mirror = new Mirror();
  mirror.expect([addition]);
  t.false(mirror.objects.has(key));
  t.true(mirror.isAwaited(key));
  mirror.tell(key, address);
  t.false(mirror.isAwaited(key));
});

test('a removal that was told late does not count against the addition that came after it', (t) => {
  const mirror = new Mirror();
  mirror.tell(key, address);
  mirror.expect([addition]);
  t.false(mirror.tell(key, undefined));
  t.true(mirror.isAwaited(key));
  t.true(mirror.tell(key, address));
  t.deepEqual(mirror.objects.get(key), address);
});

test('a word that does not come has a deadline, and a dump ends all waiting', (t) => {
  const mirror = new Mirror();
  t.is(mirror.nextDeadline, undefined);
  const word = mirror.expect([addition]);
  t.is(mirror.nextDeadline, Number.POSITIVE_INFINITY);
  mirror.isDue(word, 5000);
  t.is(mirror.nextDeadline, 6000);
  mirror.reset(new Map([[key, address]]));
  t.is(mirror.nextDeadline, undefined);
  t.false(mirror.isAwaited(key));
});

test('a word that came before the answer is not waited for once more', (t) => {
  const mirror = new Mirror();
  const word = mirror.expect([addition]);
  t.true(mirror.tell(key, address));
  mirror.isDue(word, 5000);
  t.false(mirror.isAwaited(key));
});

test('of a change that was refused no word is expected', (t) => {
  const mirror = new Mirror();
  mirror.expect([addition]);
  mirror.refused(key);
  t.false(mirror.isAwaited(key));
});
