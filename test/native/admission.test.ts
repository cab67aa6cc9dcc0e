/** Which packets a path takes, which it turns away, and what it counts them as. */
import test, { type ExecutionContext } from 'ava';
import type { UdpOptions } from '../../src/native.js';
import { compile } from './compiled.js';
import { filled, frame, packetOf } from './frames.js';
import { Host, PORT, twoNamespaces } from './hosts.js';
import * as packets from './packets.js';
import { ICMP, TCP, UDP } from './packets.js';
import { Wire } from './wire.js';

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;
const PEER = '192.168.9.2';
const STRANGER = '192.168.9.3';
const INNER = '10.9.1.7';

interface Scene {
  readonly host: Host;
  readonly wire: Wire;
  /** Sends datagrams from an address. */
  readonly from: (address: string, ...datagrams: readonly Buffer[]) => Promise<void>;
}

async function scene(t: ExecutionContext, options: Partial<UdpOptions> = {}): Promise<Scene> {
  const [own, other] = await twoNamespaces(t);
  const host = new Host(own, 1);
  await host.prepare(t);
  const wire = await host.attachWire(t);
  await host.open(options);
  await host.path.setPeers({ '10.9.2.0/24': PEER, '10.9.4.0/24': '192.168.9.4' });
  await other.ip(`address add ${STRANGER}/24 dev eth0`);
  const program = await compile('wire');
  const sockets: Record<string, Wire> = {};
  const from = async (address: string, ...datagrams: readonly Buffer[]) => {
    sockets[address] ??= await Wire.open(other, program, 'socket', address, `${PORT}`, host.address);
    sockets[address].send(...datagrams);
  };
  t.teardown(() => Promise.all(Object.values(sockets).map((socket) => socket.close())));
  return { host, wire, from };
}

function packet(source: string, destination = INNER, rest: Partial<packets.Ip> = {}): Buffer {
  const payload = packets.udp({ ports: [1, 2], payload: filled(50, 1) });
  return packets.ipv4({ source, destination, protocol: UDP, payload, ...rest });
}

/** Counters other than of what was carried, without zeros. */
async function drops({ host }: Scene): Promise<Record<string, number>> {
  const counters = Object.entries(await host.path.counters());
  return Object.fromEntries(counters.filter(([name, value]) => value > 0 && name.startsWith('dropped_')));
}

/** Holds that of all that was sent only `last`, which was sent last, came out, and what was counted. */
async function onlyThis(t: ExecutionContext, of: Scene, last: Buffer, counted: Record<string, number>) {
  const received = await of.wire.take(1);
  t.deepEqual(received.map(packetOf), [packets.aged(last, 1)!]);
  t.deepEqual(await drops(of), counted);
}

asRoot("only a peer's packets from its own subnet are taken in", async (t) => {
  const here = await scene(t);
  await here.from(STRANGER, packet('10.9.2.7'), packet('10.9.9.9'));
  await here.host.path.counted('dropped_unknown_sender', 2);
  const fine = packet('10.9.2.7');
  // Another peer's subnet, our own, outside the pool; then its own.
  await here.from(PEER, packet('10.9.4.7'), packet('10.9.1.9'), packet('8.8.8.8'), fine);
  await onlyThis(t, here, fine, { dropped_unknown_sender: 2, dropped_wrong_source: 3 });
});

asRoot("a peer's own answers are taken in, as they come from its public IP inside as well", async (t) => {
  const here = await scene(t);
  const fine = packet(PEER);
  // A stranger's, another peer's, and ours.
  await here.from(STRANGER, packet(STRANGER), packet(PEER));
  await here.host.path.counted('dropped_unknown_sender', 2);
  await here.from(PEER, packet(STRANGER), packet('192.168.9.4'), packet(here.host.address), fine);
  await onlyThis(t, here, fine, { dropped_unknown_sender: 2, dropped_wrong_source: 3 });
});

asRoot("with accept-any the sender's address is not looked at, but the inner source is", async (t) => {
  const here = await scene(t, { acceptAny: true });
  const fine = packet('10.9.2.7');
  await here.from(STRANGER, packet('10.9.9.9'), fine);
  await onlyThis(t, here, fine, { dropped_wrong_source: 1 });
});

asRoot('a peer that is taken from the table is a stranger at once', async (t) => {
  const here = await scene(t);
  const first = packet('10.9.2.7');
  await here.from(PEER, first);
  await onlyThis(t, here, first, {});
  await here.host.path.setPeers({ '10.9.4.0/24': '192.168.9.4' });
  await here.from(PEER, first);
  await here.host.path.counted('dropped_unknown_sender', 1);
  t.deepEqual(here.wire.received, []);
});

asRoot('a packet whose TTL ends here goes no further, in either direction', async (t) => {
  const here = await scene(t);
  const fine = packet('10.9.2.7', INNER, { ttl: 2 });
  await here.from(PEER, packet('10.9.2.7', INNER, { ttl: 1 }), packet('10.9.2.7', INNER, { ttl: 0 }), fine);
  await onlyThis(t, here, fine, { dropped_ttl: 2 });
  here.wire.send(...[0, 1, 2].map((ttl) => frame(packet(INNER, '10.9.2.7', { ttl }))));
  const counters = await here.host.path.counted('sent_packets', 1);
  t.like(counters, { sent_packets: 1, dropped_ttl: 4 });
});

asRoot('what is no IPv4 packet is dropped, and the path goes on', async (t) => {
  const here = await scene(t);
  const fine = packet('10.9.2.7');
  const altered = (at: number, value: number) => Buffer.from(fine).fill(value, at, at + 1);
  const ipv6 = Buffer.concat([Buffer.of(0x60), Buffer.alloc(39)]);
  // No IPv4: nothing at all, version 6, text. Malformed: short, a header too short or too long, a length too short or long.
  const others = [Buffer.alloc(0), ipv6, Buffer.from('hello')];
  const broken = [fine.subarray(0, 19), altered(0, 0x44), altered(0, 0x4f).subarray(0, 40), altered(3, 19)];
  await here.from(PEER, ...others, ...broken, fine.subarray(0, -1), fine);
  await onlyThis(t, here, fine, { dropped_not_ipv4: 3, dropped_malformed: 5 });
  here.wire.send(frame(ipv6));
  await here.host.path.counted('dropped_not_ipv4', 4);
  t.deepEqual(here.host.path.failures, []);
});

asRoot('bytes behind the end of a packet do not disturb it', async (t) => {
  const here = await scene(t);
  const fine = packet('10.9.2.7');
  await here.from(PEER, Buffer.concat([fine, filled(7, 1)]));
  const [received] = await here.wire.take(1);
  t.deepEqual(packetOf(received!).subarray(0, fine.length), packets.aged(fine, 1)!);
});

/** ICMP "network unreachable" as flannel writes it: from the device's address, with a TTL of 8. */
function unreachable(about: Buffer): Buffer {
  const header = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]);
  const payload = Buffer.concat([header, about.subarray(0, packets.headerLength(about) + 8)]);
  payload.writeUInt16BE(packets.checksum(payload), 2);
  return packets.ipv4({ source: '10.9.1.0', destination: INNER, protocol: ICMP, ttl: 8, payload });
}

asRoot('a packet for nobody is answered as flannel does', async (t) => {
  const here = await scene(t);
  const asked = [
    packet(INNER, '10.9.77.1'),
    packet(INNER, '10.9.77.1', { options: Buffer.alloc(40, 1), ttl: 1 }),
    packet(INNER, '10.9.77.1', { fragment: 0x2000 }),
    packet(INNER, '10.9.77.1', { protocol: TCP }),
  ];
  here.wire.send(...asked.map(frame));
  t.deepEqual((await here.wire.take(asked.length)).map(packetOf), asked.map(unreachable));
  t.deepEqual(await drops(here), { dropped_no_route: asked.length });
});

asRoot('neither ICMP nor a later fragment for nobody is answered', async (t) => {
  const here = await scene(t);
  const nobody = '10.9.77.1';
  here.wire.send(
    frame(packet(INNER, nobody, { protocol: ICMP })),
    frame(packet(INNER, nobody, { fragment: 1 })),
    frame(packet(INNER, nobody, { fragment: 0x2001 })),
    frame(packet(INNER, nobody, { payload: Buffer.alloc(0) })),
  );
  // Only the last, whose quotation is shorter than eight bytes behind the header.
  const [answer, ...others] = await here.wire.take(1);
  t.is(others.length, 0);
  t.is(packetOf(answer!).length, 20 + 8 + 20);
  t.deepEqual(await drops(here), { dropped_no_route: 4 });
});
