/**
 * A peer as flannel's udp backend makes it, in a process of its own: takes a bare IPv4 packet out of each datagram to its
 * port, and answers a ping. Run as `node flannel-udp-peer.js ADDRESS PORT [ANSWERS_FROM]`; prints a line for each packet.
 * That its answers come from another address is what a translation on the way makes of a peer behind NAT.
 */
import { createSocket } from 'node:dgram';

const [address, port] = [process.argv[2]!, Number(process.argv[3])];
const answersFrom = process.argv[4] ?? address;
const ECHO_REQUEST = 8;

/** The same packet, turned round; what it was sent with stays, so its ICMP checksum only loses the type. */
function echoReply(request: Buffer): Buffer {
  const reply = Buffer.from(request);
  request.copy(reply, 12, 16, 20);
  request.copy(reply, 16, 12, 16);
  reply.writeUInt8(0, 20);
  const sum = reply.readUInt16BE(22) + (ECHO_REQUEST << 8);
  reply.writeUInt16BE((sum & 0xffff) + (sum >>> 16), 22);
  return reply;
}

const socket = createSocket('udp4');
const sending = answersFrom === address ? socket : createSocket('udp4').bind(port, answersFrom);
socket.on('message', (packet, sender) => {
  const [ttl, protocol, type] = [packet.readUInt8(8), packet.readUInt8(9), packet.readUInt8(20)];
  console.log(
    `from ${sender.address}:${sender.port} length ${packet.length} ttl ${ttl} protocol ${protocol}`,
  );
  if (protocol === 1 && type === ECHO_REQUEST) sending.send(echoReply(packet), sender.port, sender.address);
});
socket.bind(port, address, () => console.log('listening'));
