/** An uplink that takes less than containers send. */
import test from 'ava';
import { filled, frame, packetOf, unfinished } from './frames.js';
import { MTU, openBoth, twoHosts } from './hosts.js';
import * as packets from './packets.js';

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;

/** Bytes of payload in a super-packet: the largest that is still cut into one send. */
const LARGE = 40 * (MTU - 28);
/** 58 MB, more than the socket's buffer holds. */
const MANY = 1000;
const INCOMING = 1000;

asRoot('while the uplink takes nothing that is sent, what is received comes in', async (t) => {
  const hosts = await twoHosts(t);
  const [alice, bob] = hosts;
  const [aliceWire, bobWire] = [await alice.attachWire(t), await bob.attachWire(t)];
  await openBoth(hosts);
  const slow = ['tbf', 'rate', '8kbit', 'burst', '4kb', 'limit', '1gb'];
  await alice.namespace.exec(['tc', 'qdisc', 'add', 'dev', 'eth0', 'root', ...slow]);

  const between = (source: string, destination: string, length: number, id = 0) => {
    const payload = packets.udp({ ports: [1, 2], payload: filled(length, id) });
    return packets.withChecksum(packets.ipv4({ source, destination, protocol: packets.UDP, id, payload }));
  };
  const large = unfinished(between('10.9.1.7', '10.9.2.7', LARGE), MTU - 28);
  aliceWire.send(...Array<Buffer>(MANY).fill(large));
  await alice.path.counted('send_errors', 1);
  const given = Array.from({ length: INCOMING }, (_, id) =>
    between('10.9.2.7', '10.9.1.7', 1 + (id % 50), id),
  );
  bobWire.send(...given.map(frame));
  const arrived = (await aliceWire.take(INCOMING)).map(packetOf);
  t.deepEqual(
    arrived,
    given.map((packet) => packets.aged(packet)!),
  );
});
