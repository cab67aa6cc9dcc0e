import test from 'ava';
import { pino } from 'pino';
import { Peers } from '../../src/agent/peers.js';
import { hostgw } from '../../src/backend/hostgw/hostgw.js';
import type { KernelObject } from '../../src/kernel/objects.js';
import { waitFor } from '../../src/lab/wait.js';
import { peerLease, viewOf } from '../backend/views.js';

const KEY = '10.5.2.0-24';
const lease = peerLease('10.5.2.0/24', '192.0.2.2', 'host-gw');

/** Peers, and how many objects each was last said to want, in the order in which that was said. */
function makePeers() {
  const said: number[] = [];
  const reconciler = { set: (_: string, objects: readonly KernelObject[]) => void said.push(objects.length) };
  const peers = new Peers({
    backend: hostgw,
    view: viewOf(undefined),
    plan: reconciler,
    holdMs: 60_000,
    isBlind: () => false,
    log: pino({ level: 'silent' }),
  });
  return { peers, said };
}

test('a peer whose lease is deleted and put again at once never left', async (t) => {
  const { peers, said } = makePeers();
  peers.put(KEY, lease);
  peers.delete(KEY, lease);
  peers.put(KEY, lease);
  const over = performance.now() + 1_200;
  await waitFor('the end of the grace', () => performance.now() > over);
  t.deepEqual(said, [1, 1]);
});

test('a peer whose lease is deleted for good leaves after a while', async (t) => {
  const { peers, said } = makePeers();
  peers.put(KEY, lease);
  peers.delete(KEY, lease);
  t.deepEqual(said, [1]);
  await waitFor('the peer to leave', () => said.length === 2);
  t.is(said[1], 0);
  t.deepEqual(peers.counts, { accepted: 0, refused: 0, held: 0, heldEver: 0 });
});

test('a peer whose lease becomes one to refuse leaves at once', (t) => {
  const { peers, said } = makePeers();
  peers.put(KEY, lease);
  peers.put(KEY, peerLease('10.5.2.0/24', '192.0.2.1', 'host-gw'));
  t.deepEqual(said, [1, 0]);
  t.deepEqual(peers.counts, { accepted: 0, refused: 1, held: 0, heldEver: 0 });
});
