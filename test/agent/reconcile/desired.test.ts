import test from 'ava';
import fc from 'fast-check';
import { Desired } from '../../../src/agent/reconcile/desired.js';
import { type FdbEntry, keyOf } from '../../../src/kernel/objects.js';

const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'];

function entry(mac: string, destination: string): FdbEntry {
  return { kind: 'fdb', link: 'flannel.1', mac, destination, permanent: true };
}

test('an owner’s new objects replace its old ones, and the keys of both are returned', (t) => {
  const desired = new Desired();
  desired.set('a', [entry(MACS[0]!, '192.0.2.1')]);
  const touched = desired.set('a', [entry(MACS[1]!, '192.0.2.1')]);
  t.deepEqual([...touched], [`fdb flannel.1 ${MACS[0]}`, `fdb flannel.1 ${MACS[1]}`]);
  t.deepEqual([...desired.objects.values()], [entry(MACS[1]!, '192.0.2.1')]);
});

test('when the owner of a disputed key goes, the next one has it', (t) => {
  const desired = new Desired();
  desired.set('b', [entry(MACS[0]!, '192.0.2.2')]);
  desired.set('a', [entry(MACS[0]!, '192.0.2.1')]);
  t.is((desired.objects.get(`fdb flannel.1 ${MACS[0]}`) as FdbEntry).destination, '192.0.2.1');
  desired.set('a', []);
  t.is((desired.objects.get(`fdb flannel.1 ${MACS[0]}`) as FdbEntry).destination, '192.0.2.2');
});

test('what is desired does not depend on the order in which owners changed their minds', (t) => {
  const step = fc.record({
    owner: fc.constantFrom('a', 'b', 'c'),
    macs: fc.uniqueArray(fc.constantFrom(...MACS)),
    destination: fc.constantFrom('192.0.2.1', '192.0.2.2'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const gradually = new Desired();
      const last = new Map<string, FdbEntry[]>();
      for (const { owner, macs, destination } of steps) {
        const objects = macs.map((mac) => entry(mac, destination));
        gradually.set(owner, objects);
        last.set(owner, objects);
      }
      const atOnce = new Desired();
      for (const [owner, objects] of last) atOnce.set(owner, objects);
      t.deepEqual(new Map([...gradually.objects].sort()), new Map([...atOnce.objects].sort()));
      for (const [key, object] of gradually.objects) t.is(keyOf(object), key);
    }),
  );
});
