/**
 * A way from one host to the other that takes smaller packets than their own links do, from some moment on:
 *
 *   alice 192.168.9.1 ══ 1500 ══ router ══ then 1300 ══ 192.168.10.1 bob
 */
import test, { type ExecutionContext } from 'ava';
import type { Namespace } from '../../src/lab/namespace.js';
import { waitFor } from '../../src/lab/wait.js';
import { copiesWhole } from '../netns/tcp-copy.js';
import { filled, frame, packetOf } from './frames.js';
import { Host, MTU, namespaceFor, openBoth } from './hosts.js';
import * as packets from './packets.js';

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

asRoot('packets of full size arrive when the path MTU is smaller: only the first is lost', async (t) => {
  const { hosts, setMtu } = await scene(t);
  const [alice, bob] = hosts;
  const [from, to] = [await alice.attachWire(t), await bob.attachWire(t)];
  await openBoth(hosts);
  await setMtu(SMALL);
  const ends = { source: '10.9.1.7', destination: '10.9.2.7' };
  const payload = packets.udp({ ports: [1, 2], payload: filled(MTU - 28, 1) });
  const given = Array.from({ length: 20 }, (_, id) =>
    packets.withChecksum(packets.ipv4({ ...ends, id, protocol: packets.UDP, payload })),
  );
  from.send(frame(given[0]!));
  const learnt = async () => /mtu 1300/.test(await alice.namespace.ip(`route get ${bob.address}`));
  await waitFor('the path MTU to be known', learnt);
  from.send(...given.slice(1).map(frame));
  const arrived = (await to.take(given.length - 1)).map(packetOf);
  t.deepEqual(
    arrived,
    given.slice(1).map((packet) => packets.aged(packet)!),
  );
  t.like(await alice.path.counters(), { gso_sends: 0, sent_packets: 20, send_errors: 0 });
});
