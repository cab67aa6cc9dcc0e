import test from 'ava';
import { Peers } from '../../../src/agent/peers/peers.js';
import { hostgw } from '../../../src/backend/hostgw/hostgw.js';
import { vxlan } from '../../../src/backend/vxlan/vxlan.js';
import { backendJson } from '../../../src/config/network.js';
import type { KernelObject } from '../../../src/kernel/objects.js';
import { waitFor } from '../../../src/lab/wait.js';
import { leaseKey } from '../../../src/lease/codec.js';
import type { Lease } from '../../../src/lease/lease.js';
import { parseIpv4 } from '../../../src/net/ipv4.js';
import { peerLease, viewOf } from '../../backend/views.js';
import { recordingLog } from '../../fakes/log.js';

const KEY = '10.5.2.0-24';
const lease = peerLease('10.5.2.0/24', '192.0.2.2', 'host-gw');

/** Peers, and how many objects each was last said to want, in the order in which that was said. */
function makePeers(backend: typeof hostgw | typeof vxlan = hostgw) {
  const said: number[] = [];
  const wanted = new Map<string, number>();
  const set = (key: string, objects: readonly KernelObject[]) => {
    said.push(objects.length);
    if (objects.length > 0) wanted.set(key, objects.length);
    else wanted.delete(key);
  };
  const { log, lines } = recordingLog();
  const options = backend === vxlan ? vxlan.parseOptions(backendJson({ Type: 'vxlan' })) : undefined;
  const peers = new Peers({
    backend,
    view: viewOf(options),
    plan: { set },
    holdMs: 60_000,
    isBlind: () => false,
    log,
  });
  const put = async (...leases: readonly Lease[]) => {
    for (const one of leases) peers.put(leaseKey(one), one);
    await peers.settle();
  };
  const remove = async (gone: Lease) => {
    peers.delete(leaseKey(gone), gone);
    await peers.settle();
  };
  return { peers, said, wanted: () => [...wanted.keys()].sort(), lines, put, remove };
}

test('a peer whose lease is deleted and put again at once never left', async (t) => {
  const { said, put, remove } = makePeers();
  await put(lease);
  await remove(lease);
  await put(lease);
  const over = performance.now() + 1_200;
  await waitFor('the end of the grace', () => performance.now() > over);
  t.deepEqual(said, [1, 1]);
});

test('a peer whose lease is deleted for good leaves after a while', async (t) => {
  const { peers, said, put, remove } = makePeers();
  await put(lease);
  await remove(lease);
  t.deepEqual(said, [1]);
  await waitFor('the peer to leave', () => said.length === 2);
  t.is(said[1], 0);
  t.deepEqual(peers.counts, { accepted: 0, refused: 0, held: 0, heldEver: 0 });
});

test('a peer whose lease becomes one to refuse leaves at once', async (t) => {
  const { peers, said, put } = makePeers();
  await put(lease);
  await put(peerLease('10.5.2.0/24', '192.0.2.1', 'host-gw'));
  t.deepEqual(said, [1, 0]);
  t.deepEqual(
    [...peers.refused],
    [{ key: KEY, publicIp: '192.0.2.1', kind: 'public-ip', reason: 'public IP 192.0.2.1 is our own' }],
  );
});

test("a lease inside an older one is refused, told of once, and used when the older one's host is gone", async (t) => {
  const { peers, wanted, lines, put, remove } = makePeers();
  const younger = { ...peerLease('10.5.2.128/25', '192.0.2.3', 'host-gw'), createRevision: 9 };
  await put(younger, lease);
  await put(younger);
  t.deepEqual(wanted(), [KEY]);
  t.deepEqual(
    lines.map(({ subnet, reason }) => [subnet, reason]),
    [['10.5.2.128-25', 'overlaps 10.5.2.0/24 of 192.0.2.2, which is older']],
  );
  await remove(lease);
  t.deepEqual(wanted(), ['10.5.2.128-25']);
  t.is(peers.counts.refused, 0);
});

test('of two peers with one VTEP MAC the older one keeps its forwarding entry', async (t) => {
  const { wanted, lines, put } = makePeers(vxlan);
  const data = { VNI: 1, VtepMAC: '02:00:00:00:00:07' };
  const older = peerLease('10.5.7.0/24', '192.0.2.7', 'vxlan', data);
  await put({ ...peerLease('10.5.3.0/24', '192.0.2.3', 'vxlan', data), createRevision: 9 }, older);
  t.deepEqual(wanted(), ['10.5.7.0-24']);
  t.is(lines[0]!.reason, 'its VTEP MAC 02:00:00:00:00:07 is that of 192.0.2.7, whose lease is older');
});

test('an address that comes to be guarded takes a peer away, and gives it back when it is not any more', async (t) => {
  const { peers, wanted, put } = makePeers();
  await put(lease, peerLease('10.5.3.0/24', '192.0.2.3', 'host-gw'));
  peers.guard([{ address: parseIpv4('10.5.2.9')!, text: '10.5.2.9, a DNS server' }]);
  await peers.settle();
  t.deepEqual(wanted(), ['10.5.3.0-24']);
  t.is([...peers.refused][0]!.reason, 'takes 10.5.2.9, a DNS server');
  peers.guard([]);
  await peers.settle();
  t.deepEqual(wanted(), [KEY, '10.5.3.0-24']);
});
