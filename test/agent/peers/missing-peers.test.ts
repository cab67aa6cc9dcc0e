import test, { type ExecutionContext } from 'ava';
import { MissingPeers } from '../../../src/agent/peers/missing-peers.js';
import { waitFor } from '../../../src/lab/wait.js';
import { leaseKey } from '../../../src/lease/codec.js';
import { recordingLog } from '../../fakes/log.js';
import { lease } from '../../lease/leases.js';

const HOLD_MS = 1_500;
const peer = (n: number) => lease(`10.5.${n}.0/24`, `192.0.2.${n}`);

function setUp(t: ExecutionContext, all = 9, holdMs = HOLD_MS) {
  const { log, lines } = recordingLog();
  const gone: string[] = [];
  const world = { blind: false };
  const missing = new MissingPeers({
    holdMs,
    count: () => all,
    isBlind: () => world.blind,
    letGo: (key, older) => void gone.push(older ? `${key} older` : key),
    log,
  });
  t.teardown(() => missing.stop());
  const add = (...numbers: number[]) => {
    for (const n of numbers) missing.add(leaseKey(peer(n)), peer(n));
  };
  const says = (text: string) => waitFor(text, () => lines.some(({ msg }) => msg.startsWith(text)));
  return { missing, gone, world, lines, add, says };
}

const HELD = 'leases are missing from etcd';

test('a third of all, or two of two, go after the grace', async (t) => {
  for (const [all, numbers] of [
    [9, [1, 2, 3]],
    [2, [1, 2]],
  ] as const) {
    const { gone, lines, add } = setUp(t, all);
    add(...numbers);
    t.deepEqual(gone, []);
    await waitFor('them to go', () => gone.length === numbers.length);
    t.deepEqual(lines, []);
  }
});

test('more than a third are held for their time, told once and counted', async (t) => {
  const { missing, gone, lines, add, says } = setUp(t);
  const begun = performance.now();
  add(1, 2, 3, 4);
  await says(HELD);
  t.deepEqual(missing.counts, { held: 4, heldEver: 4 });
  missing.remove('10.5.1.0-24');
  t.is(missing.counts.held, 3);
  await waitFor('them to go', () => gone.length === 3);
  t.true(performance.now() - begun >= HOLD_MS);
  t.deepEqual(missing.counts, { held: 0, heldEver: 4 });
  t.deepEqual(
    lines.map(({ msg, peers, reason }) => [msg.split(',')[0], peers, reason]),
    [
      [HELD, 4, '4 of 9 went at once'],
      ['no peer without a lease is held any more', undefined, undefined],
    ],
  );
});

test('one that goes while etcd is in doubt is held too', async (t) => {
  const { missing, add, says, lines } = setUp(t);
  missing.doubt('etcd was out of reach');
  add(1);
  await says(HELD);
  t.is(lines[0]!.reason, 'etcd was out of reach');
});

test('nobody is let go while we cannot have our own lease', async (t) => {
  const { gone, world, add, says } = setUp(t, 9, 600);
  world.blind = true;
  add(1);
  await says(HELD);
  const over = performance.now() + 2_000;
  await waitFor('well after the hold', () => performance.now() > over);
  t.deepEqual(gone, []);
  world.blind = false;
  await waitFor('it to go', () => gone.length === 1);
});

test('one whose addresses another has goes at once, the others stay', async (t) => {
  const { missing, gone, add, says } = setUp(t);
  add(1, 2, 3, 4);
  await says(HELD);
  missing.giveWay('10.5.7.0-24');
  t.deepEqual(gone, []);
  missing.giveWay('10.5.2.0-24');
  t.deepEqual(gone, ['10.5.2.0-24']);
  t.is(missing.counts.held, 3);
});

test('what a backup knows of a peer is gone by only when its time is over', async (t) => {
  const { missing, gone, says } = setUp(t);
  missing.doubt('etcd was restored from a backup');
  missing.addOlder('10.5.1.0-24', peer(1), peer(2));
  await says(HELD);
  t.deepEqual([...missing.leases()], [['10.5.1.0-24', peer(1)]]);
  await waitFor('it to go', () => gone.length === 1);
  t.deepEqual(gone, ['10.5.1.0-24 older']);
});

test('without a hold everybody goes after the grace', async (t) => {
  const { missing, gone, lines, add } = setUp(t, 9, 0);
  missing.doubt('etcd was out of reach');
  add(1, 2, 3, 4, 5);
  await waitFor('them to go', () => gone.length === 5);
  t.deepEqual(lines, []);
});
