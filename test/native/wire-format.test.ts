/** What flannel's udp backend would see of a path, and would make it take: bare packets, one a datagram. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { compilePrograms } from '../../bench/compiled.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';
import { copiesWhole } from '../netns/tcp-copy.js';
import { compile } from './compiled.js';
import { filled, frame, packetOf, unfinished } from './frames.js';
import { Host, MTU, PORT, twoNamespaces } from './hosts.js';
import * as packets from './packets.js';
import { TCP, UDP } from './packets.js';
import { Wire } from './wire.js';

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;
const THERE = { source: '10.9.1.7', destination: '10.9.2.7' };
const BACK = { source: '10.9.2.7', destination: '10.9.1.7' };

interface Meeting {
  readonly host: Host;
  /** Behind the host's device. */
  readonly wire: Wire;
  /** A plain UDP socket that the host takes for a peer, at the path's own port. */
  readonly socket: Wire;
}

async function meet(t: ExecutionContext): Promise<Meeting> {
  const [own, other] = await twoNamespaces(t);
  const host = new Host(own, 1);
  await host.prepare(t);
  const wire = await host.attachWire(t);
  await host.open();
  await host.path.setPeers({ '10.9.2.0/24': '192.168.9.2' });
  const words = ['socket', '192.168.9.2', `${PORT}`, host.address];
  const socket = await Wire.open(other, await compile('wire'), ...words);
  t.teardown(() => socket.close());
  return { host, wire, socket };
}

function udpPacket(ends: typeof THERE, length: number): Buffer {
  const payload = packets.udp({ ports: [1, 2], payload: filled(length, length) });
  return packets.withChecksum(packets.ipv4({ ...ends, protocol: UDP, payload }));
}

const hexOf = (list: readonly (Buffer | undefined)[]) => list.map((packet) => packet?.toString('hex'));

asRoot('a datagram is a bare IPv4 packet with one less TTL, from port to port, of any size', async (t) => {
  const { wire, socket } = await meet(t);
  const given = [0, 1, 100, MTU - 28, MTU, 9000].map((length) => udpPacket(THERE, length));
  wire.send(...given.map(frame));
  // The socket is connected to the path's address and port: it hears no other.
  t.deepEqual(hexOf(await socket.take(given.length)), hexOf(given.map((packet) => packets.aged(packet, 1))));
});

asRoot('a super-packet is as many datagrams as the kernel would have sent packets', async (t) => {
  const { host, wire, socket } = await meet(t);
  const flags = packets.ACK | packets.PSH | packets.FIN | packets.CWR;
  const payload = packets.tcp({ ports: [1, 2], sequence: 0xffff_ff00, flags, payload: filled(10_000, 1) });
  const packet = packets.ipv4({ ...THERE, protocol: TCP, id: 0xfffe, payload });
  wire.send(unfinished(packet, 1400));
  const segments = packets.segmented(packet, 1400);
  t.is(segments.length, 8);
  t.deepEqual(hexOf(await socket.take(8)), hexOf(segments.map((segment) => packets.aged(segment, 1))));
  t.like(await host.path.counted('gso_packets', 8), { sent_packets: 8, gso_sends: 1, gso_packets: 8 });
});

asRoot('a UDP checksum that comes to zero is written as 0xffff, since zero would mean none', async (t) => {
  const { wire, socket } = await meet(t);
  const packet = (payload: Buffer) =>
    packets.ipv4({ ...THERE, protocol: UDP, payload: packets.udp({ ports: [1, 2], payload }) });
  const payload = filled(40, 1).fill(0, 0, 2);
  payload.writeUInt16BE(packets.withChecksum(packet(payload)).readUInt16BE(26));
  const alone = packets.withChecksum(packet(payload));
  t.is(alone.readUInt16BE(26), 0xffff);
  wire.send(
    unfinished(packet(payload)),
    unfinished(packet(Buffer.concat([payload, payload])), payload.length),
  );
  const [completed, ...cut] = await socket.take(3);
  t.is(completed!.toString('hex'), packets.aged(alone, 1)!.toString('hex'));
  t.deepEqual(
    cut.map((segment) => segment.readUInt16BE(26)),
    [0xffff, 0xffff],
  );
});

asRoot('a datagram of a peer comes out as the packet that it is, with one less TTL', async (t) => {
  const { wire, socket } = await meet(t);
  const given = [0, 1, 100, MTU - 28, MTU].map((length) => udpPacket(BACK, length));
  socket.send(...given);
  const received = await wire.take(given.length);
  t.deepEqual(hexOf(received.map(packetOf)), hexOf(given.map((packet) => packets.aged(packet, 1))));
});

asRoot("a TCP checksum that is zero's other form, 0xffff, comes out as it was", async (t) => {
  const { wire, socket } = await meet(t);
  const given = Array.from({ length: 40 }, (_, id) => {
    const payload = filled(40, id).fill(0, 0, 2);
    const segment = () => packets.tcp({ ports: [1, 2], sequence: 40 * id, payload });
    const packet = () => packets.ipv4({ ...BACK, id, protocol: TCP, payload: segment() });
    payload.writeUInt16BE(packets.withChecksum(packet()).readUInt16BE(36));
    const other = packets.withChecksum(packet());
    t.is(other.readUInt16BE(36), 0);
    return other.fill(0xff, 36, 38);
  });
  socket.send(...given);
  const received = await wire.take(given.length);
  t.deepEqual(hexOf(received.map(packetOf)), hexOf(given.map((packet) => packets.aged(packet, 1))));
});

asRoot('TCP goes whole both ways between a path and a program that carries one packet a call', async (t) => {
  const programs = await compilePrograms('one-packet-loop');
  t.teardown(() => rm(programs, { recursive: true }));
  const [own, other] = await twoNamespaces(t);
  const host = new Host(own, 1);
  await host.prepare(t);
  await host.open({ queues: 2 });
  await host.path.setPeers({ '10.9.2.0/24': '192.168.9.2' });
  const loop = await Process.start({
    namespace: other,
    words: [
      join(programs, 'one-packet-loop'),
      'floor0',
      '192.168.9.2',
      `${PORT}`,
      `10.9.1.0/24=${host.address}`,
    ],
    logFile: join(programs, 'log'),
  });
  t.teardown(() => loop.kill());
  await waitFor('the loop', async () => (await loop.log()).includes('ready'));
  await other.ip(
    'address add 10.9.2.0/32 dev floor0',
    `link set floor0 mtu ${MTU} up`,
    'route add 10.9.0.0/16 dev floor0',
  );
  const peer = { namespace: other, address: '10.9.2.0' };
  t.true(await copiesWhole(host.end, peer));
  t.true(await copiesWhole(peer, host.end));
  const counters = await host.path.counters();
  t.true(counters.gso_sends! > 0 && counters.merged_writes! > 0);
});
