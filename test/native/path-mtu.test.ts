/**
 * A way from one host to the other that takes smaller packets than their own links do, from some moment on:
 *
 *   alice 192.168.9.1 ══ 1500 ══ router ══ then 1300 ══ 192.168.10.1 bob
 */
import { isDeepStrictEqual } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { Namespace } from '../../src/lab/namespace.js';
import { waitFor } from '../../src/lab/wait.js';
import { copiesWhole } from '../netns/tcp-copy.js';
import { filled, frame, packetOf, unfinished } from './frames.js';
import { Host, MTU, namespaceFor, openBoth } from './hosts.js';
import * as packets from './packets.js';
import type { Wire } from './wire.js';

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;
const SMALL = 1300;

interface Scene {
  readonly hosts: readonly [Host, Host];
  readonly setMtu: (mtu: number) => Promise<void>;
}

async function connect(host: Host, router: Namespace, link: string): Promise<void> {
  const gateway = host.address.replace(/\d+$/, '254');
  await router.ip(`link add ${link} type veth peer name eth0 netns ${host.namespace.name}`);
  await router.ip(`address add ${gateway}/24 dev ${link}`, `link set ${link} up`);
  await host.namespace.ip(
    `address add ${host.address}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${gateway}`,
  );
}

async function scene(t: ExecutionContext): Promise<Scene> {
  const router = await namespaceFor(t, 'router');
  await router.setSysctl('ipv4/ip_forward', '1');
  const alice = new Host(await namespaceFor(t, 'alice'), 1);
  const bob = new Host(await namespaceFor(t, 'bob'), 2, '192.168.10.1');
  await connect(alice, router, 'left');
  await connect(bob, router, 'right');
  for (const host of [alice, bob]) await host.prepare(t);
  const setMtu = async (mtu: number) => void (await router.ip(`link set right mtu ${mtu}`));
  return { hosts: [alice, bob], setMtu };
}

asRoot('TCP goes whole while the path MTU becomes smaller and larger again', async (t) => {
  const { hosts, setMtu } = await scene(t);
  const [alice, bob] = hosts;
  await openBoth(hosts);
  const copy = copiesWhole(alice.end, bob.end, 24);
  await alice.path.counted('sent_bytes', 16 << 20);
  await setMtu(SMALL);
  const { sent_bytes } = await alice.path.counters();
  await alice.path.counted('sent_bytes', sent_bytes! + (64 << 20));
  await setMtu(1500);
  t.true(await copy);
  t.deepEqual([alice.path.failures, bob.path.failures], [[], []]);
});

/** Sends one packet of full size, which is lost, and waits until the kernel knows why. */
async function learn({ hosts: [alice, bob] }: Scene, from: Wire, full: Buffer): Promise<void> {
  from.send(frame(full));
  const learnt = async () => /mtu 1300/.test(await alice.namespace.ip(`route get ${bob.address}`));
  await waitFor('the path MTU to be known', learnt);
}

const ENDS = { source: '10.9.1.7', destination: '10.9.2.7' };

function datagram(id: number): Buffer {
  const payload = packets.udp({ ports: [1, 2], payload: filled(MTU - 28, 1) });
  return packets.withChecksum(packets.ipv4({ ...ENDS, id, protocol: packets.UDP, payload }));
}

/** A super-packet of a TCP stream, and the payload of the packets that it is to be cut into. */
function stream(fragment: number): readonly [Buffer, number] {
  const size = MTU - 40;
  const payload = packets.tcp({ ports: [1, 2], sequence: 1, payload: filled(30 * size, 1) });
  return [packets.ipv4({ ...ENDS, fragment, protocol: packets.TCP, payload }), size];
}

async function arrives(to: Wire, expected: readonly Buffer[]): Promise<boolean> {
  const arrived = (await to.take(expected.length)).map(packetOf);
  return isDeepStrictEqual(
    arrived,
    expected.map((packet) => packets.aged(packet)!),
  );
}

/** The path takes less than the uplinks on both ends of it, and nobody knows yet. */
async function behindSmallMtu(t: ExecutionContext) {
  const place = await scene(t);
  const [alice, bob] = place.hosts;
  const [from, to] = [await alice.attachWire(t), await bob.attachWire(t)];
  await openBoth(place.hosts);
  await place.setMtu(SMALL);
  return { place, alice, from, to };
}

asRoot('packets of full size arrive when the path MTU is smaller: only the first is lost', async (t) => {
  const { place, alice, from, to } = await behindSmallMtu(t);
  const given = Array.from({ length: 20 }, (_, id) => datagram(id));
  await learn(place, from, given[0]!);
  from.send(...given.slice(1).map(frame));
  t.true(await arrives(to, given.slice(1)));
  const counters = await alice.path.counted('sent_packets', 20);
  t.like(counters, { gso_sends: 0, sent_packets: 20, send_errors: 0 });
});

asRoot('a TCP stream that may not be fragmented is cut to a smaller path MTU, and sent whole', async (t) => {
  const { place, alice, from, to } = await behindSmallMtu(t);
  await learn(place, from, datagram(0));
  const [free, size] = stream(0);
  from.send(unfinished(free, size));
  t.true(await arrives(to, packets.segmented(free, size)), 'one that may be fragmented is');
  t.like(await alice.path.counters(), { gso_sends: 0, gso_refusals: 1 });
  const [bound] = stream(0x4000);
  from.send(unfinished(bound, size));
  const cut = packets.segmented(bound, SMALL - 28 - 40);
  t.true(await arrives(to, cut));
  t.like(await alice.path.counted('gso_packets', cut.length), { gso_sends: 1, gso_refusals: 1 });
});
