/**
 * What the programs in native-udp.test.ts are written with; each runs in a process, and a network namespace, of its
 * own, whose loopback interface is the uplink.
 */
import { execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { loadNative, type NativeHandle, type UdpOptions } from '../src/native.js';

export const native = loadNative();

export function say(...words: unknown[]): void {
  console.log(...words);
}

export function ip(line: string): string {
  return execFileSync('ip', line.split(' '), { encoding: 'utf8' });
}

/** Says with what errno, or what kind of error, a call fails. */
export function attempt(call: () => unknown): void {
  try {
    call();
    say('done');
  } catch (error) {
    const { errno, name, message } = error as NodeJS.ErrnoException;
    say(errno ?? name, message);
  }
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

/** A table for udpSetPeers. */
export function table(...peers: [network: string, length: number, publicIp: string][]): Buffer {
  const words = peers.flatMap(([network, length, publicIp]) => [
    numberOf(network),
    length,
    numberOf(publicIp),
  ]);
  return Buffer.from(Uint32Array.from(words).buffer);
}

/** Gives the namespace the device flannel0, as the subnet 10.9.1.0/24 of the network 10.9.0.0/16 has it. */
export function device(make = () => native.tunCreate('flannel0')): void {
  make();
  ip('link set flannel0 addrgenmode none'); // or the kernel would send IPv6 packets of its own
  ip('link set lo up');
  ip('link set flannel0 mtu 1472 up');
  ip('address add 10.9.1.0/32 dev flannel0');
  ip('route add 10.9.0.0/16 dev flannel0');
}

/** A path with the peers 127.0.0.2, which has 10.9.2.0/24, and 127.0.0.4, with 10.9.4.0/24. */
export function open(
  options: Partial<UdpOptions> = {},
  onFailed: (message: string, errno: number) => void = (message) => say('failed:', message),
): NativeHandle {
  const wish = { device: 'flannel0', address: '127.0.0.1', port: 8285, tunnelAddress: '10.9.1.0' };
  const path = native.udpOpen({ queues: 0, acceptAny: false, without: [], ...wish, ...options }, onFailed);
  native.udpSetPeers(path, table(['10.9.2.0', 24, '127.0.0.2'], ['10.9.4.0', 24, '127.0.0.4']));
  return path;
}

export function counters(path: NativeHandle): Record<string, bigint> {
  const values = native.udpCounters(path);
  return Object.fromEntries(native.udpCounterNames().map((name, index) => [name, values[index]!]));
}

export async function socket(host: string, port = 8285): Promise<Socket> {
  const made = createSocket('udp4').bind(port, host);
  await once(made, 'listening');
  return made;
}

/** A bare IPv4 packet to 10.9.1.0 without payload; its checksum is wrong, which is nobody's business but the receiver's. */
export function packet(source: string, { ttl = 64, version = 4, length = 20 } = {}): Buffer {
  const bytes = Buffer.alloc(20);
  bytes[0] = version * 16 + 5;
  bytes.writeUInt16BE(length, 2);
  bytes[8] = ttl;
  bytes[9] = 253; // for experiments: RFC 3692
  bytes.writeUInt32BE(numberOf(source), 12);
  bytes.writeUInt32BE(numberOf('10.9.1.0'), 16);
  return bytes;
}

export async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5000; !holds(); await new Promise(setImmediate))
    if (Date.now() > deadline) throw new Error(`not in time: ${holds}`);
}
