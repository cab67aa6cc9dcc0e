/**
 * The packet path's functions as JavaScript sees them. Each test has a network namespace to itself, with a device, the
 * path on 127.0.0.1, and a socket on 127.0.0.2 that plays the peer: it gets bare IP packets, and may send any bytes.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import * as child from './native-udp-child.js';

const run = promisify(execFile);
const CHILD = new URL('./native-udp-child.js', import.meta.url).href;
const asRoot = process.getuid?.() === 0 ? test : test.skip;

/** What the programs below are written with. */
const PRELUDE = `
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { ${Object.keys(child).join(', ')} } from ${JSON.stringify(CHILD)};
`;

/** Runs a program in a namespace of its own; what it said, once it has ended by itself, and well. */
async function inNamespace(program: string): Promise<string> {
  const words = ['--net', process.execPath, '--input-type=module', '-e', PRELUDE + program];
  const { stdout } = await run('unshare', words, { timeout: 20_000 });
  return stdout;
}

asRoot('a device is made once, persists, and is not taken from another kind', async (t) => {
  const said = await inNamespace(`
    native.tunCreate('flannel0');
    native.tunCreate('flannel0');
    say(/tun type tun pi off vnet_hdr on multi_queue .* persist on/.test(ip('-details link show flannel0')));
    ip('link add veth0 type veth peer name veth1');
    ip('tuntap add tap0 mode tap');
    for (const name of ['veth0', 'tap0', 'a-name-that-is-too-long', '']) attempt(() => native.tunCreate(name));`);
  t.is(
    said,
    'true\n17 device veth0: File exists\n17 device tap0: File exists\nTypeError tunCreate(name)\nTypeError tunCreate(name)\n',
  );
});

asRoot('a device is one claimant’s until it is released, and whether it is there or not', async (t) => {
  const said = await inNamespace(`
    const claim = native.udpClaim('flannel0');
    attempt(() => native.udpClaim('flannel0'));
    attempt(() => native.udpClaim('flannel1'));
    native.udpRelease(claim);
    native.udpRelease(claim);
    attempt(() => native.udpClaim('flannel0'));
    for (const wrong of ['', 'x'.repeat(16)]) attempt(() => native.udpClaim(wrong));
    attempt(() => native.udpRelease({}));`);
  t.deepEqual(said.trimEnd().split('\n'), [
    '16 claim of device flannel0: Device or resource busy',
    'done',
    'done',
    ...Array<string>(2).fill('TypeError udpClaim(device)'),
    'TypeError udpRelease(claim)',
  ]);
});

asRoot('a path that cannot be opened says what is in the way, and leaves nothing open', async (t) => {
  const said = await inNamespace(`
    attempt(() => open());
    device();
    attempt(() => open({ address: '192.0.2.1' }));
    const other = await socket('127.0.0.1');
    attempt(() => open());
    other.close();
    for (const wrong of [{ device: '' }, { device: 'x'.repeat(16) }, { address: 'here' }, { port: 65536 }, { without: ['ufo'] }])
      attempt(() => open(wrong));`);
  t.deepEqual(said.trimEnd().split('\n'), [
    '19 device flannel0: No such device',
    '99 socket on 192.0.2.1:8285/udp: Cannot assign requested address',
    '98 socket on 127.0.0.1:8285/udp: Address already in use',
    ...Array<string>(5).fill('TypeError udpOpen(options, onFailed)'),
  ]);
});

asRoot('what a path is told to do without, it does without', async (t) => {
  const said = await inNamespace(`
    device();
    const tell = (options) => {
      const path = open(options);
      const { queues, features } = native.udpFeatures(path);
      say(queues, features.join(' '));
      native.udpClose(path);
    };
    tell({ queues: 3 });
    for (const feature of ['uso', 'tso', 'gso', 'gro', 'multi-queue']) tell({ queues: 3, without: [feature] });`);
  t.deepEqual(said.trimEnd().split('\n'), [
    '3 tso uso gso gro multi-queue',
    '3 tso gso gro multi-queue',
    '3 gso gro multi-queue',
    '3 tso uso gro multi-queue',
    '3 tso uso gso multi-queue',
    '1 tso uso gso gro',
  ]);
});

for (const [what, make] of [
  ['a device of ours', 'undefined'],
  ['a device with one queue and no header', `() => ip('tuntap add flannel0 mode tun')`],
])
  asRoot(`packets cross ${what} both ways, a TTL less, and come back with the same bytes`, async (t) => {
    const said = await inNamespace(`
      device(${make});
      const peer = await socket('127.0.0.2');
      const path = open();
      // A device that has just got its carrier drops what it is to send, until the kernel has given it its queue.
      await until(() => !ip('link show flannel0').includes(' qdisc noop '));
      const container = await socket('10.9.1.0', 7000);
      container.setTTL(9);
      container.send('hello', 7000, '10.9.2.5');
      const [bytes] = await once(peer, 'message');
      say(bytes.length, bytes[8], bytes.subarray(28).toString());
      // The way back: the same packet with its ends exchanged, which changes no checksum.
      const answer = Buffer.concat([bytes.subarray(0, 12), bytes.subarray(16, 20), bytes.subarray(12, 16), bytes.subarray(20)]);
      peer.send(answer, 8285, '127.0.0.1');
      const [text, from] = await once(container, 'message');
      say(text.toString(), from.address);
      await until(() => counters(path).sent_packets > 0n && counters(path).sent_bytes > 0n);
      const { sent_packets, sent_bytes, received_packets, received_bytes } = counters(path);
      say(sent_packets, sent_bytes, received_packets, received_bytes);
      native.udpClose(path);
      peer.close();
      container.close();`);
    t.is(said, '33 8 hello\nhello 10.9.2.5\n1n 33n 1n 33n\n');
  });

asRoot('what may not come in is dropped, and counted by reason', async (t) => {
  const drops = (options: string) => `
    const path = open(${options});
    const before = counters(path);
    peer.send(packet('10.9.2.5'), 8285, '127.0.0.1');
    peer.send(packet('10.9.4.5'), 8285, '127.0.0.1');
    peer.send(packet('192.0.2.9'), 8285, '127.0.0.1');
    stranger.send(packet('10.9.2.5'), 8285, '127.0.0.1');
    peer.send(packet('10.9.2.5', { ttl: 1 }), 8285, '127.0.0.1');
    peer.send(packet('10.9.2.5', { version: 6 }), 8285, '127.0.0.1');
    peer.send('', 8285, '127.0.0.1');
    peer.send(packet('10.9.2.5', { length: 21 }), 8285, '127.0.0.1');
    const sum = (names) => names.reduce((all, name) => all + counters(path)[name], 0n);
    const reasons = native.udpCounterNames().filter((name) => name.startsWith('dropped'));
    await until(() => sum([...reasons, 'received_packets']) === 8n);
    for (const [name, value] of Object.entries(counters(path)))
      if (name !== 'received_bytes' && value !== 0n) say(name, value);
    native.udpClose(path);`;
  const said = await inNamespace(`
    device();
    const [peer, stranger] = [await socket('127.0.0.2'), await socket('127.0.0.3')];
    { ${drops('{}')} }
    { ${drops('{ acceptAny: true }')} }
    peer.close();
    stranger.close();`);
  t.deepEqual(said.trimEnd().split('\n'), [
    'received_packets 1n',
    'dropped_ttl 1n',
    'dropped_not_ipv4 2n',
    'dropped_malformed 1n',
    'dropped_unknown_sender 1n',
    'dropped_wrong_source 2n',
    'received_packets 3n',
    'dropped_ttl 1n',
    'dropped_not_ipv4 2n',
    'dropped_malformed 1n',
    'dropped_wrong_source 1n',
  ]);
});

asRoot(
  'a packet for nobody is answered that the network is unreachable, until a peer is there',
  async (t) => {
    const said = await inNamespace(`
    device();
    // The answer's source is an address of this host, which the kernel does not take from a device otherwise.
    writeFileSync('/proc/sys/net/ipv4/conf/flannel0/accept_local', '1');
    const [peer, path] = [await socket('127.0.0.2'), open()];
    const [error] = await once(connect(7000, '10.9.3.5'), 'error');
    say(error.code, counters(path).dropped_no_route);
    native.udpSetPeers(path, table(['10.9.0.0', 16, '127.0.0.9'], ['10.9.3.0', 24, '127.0.0.2']));
    const found = connect(7000, '10.9.3.5');
    say((await once(peer, 'message'))[0][9]); // TCP
    native.udpClose(path);
    peer.close();
    found.destroy();`);
    t.is(said, 'ENETUNREACH 1n\n6\n');
  },
);

asRoot('a device that goes away is reported once; one that is down is waited for', async (t) => {
  const said = await inNamespace(`
    device();
    const peer = await socket('127.0.0.2');
    let failures = 0;
    const path = open({ queues: 2 }, (message, errno) => { failures++; say('failed:', message, errno); });
    ip('link set flannel0 down');
    peer.send(packet('10.9.2.5'), 8285, '127.0.0.1');
    await until(() => counters(path).device_errors === 1n);
    ip('link set flannel0 up');
    peer.send(packet('10.9.2.5'), 8285, '127.0.0.1');
    await until(() => counters(path).received_packets === 2n);
    say(failures, counters(path).device_errors);
    ip('link delete flannel0');
    await until(() => failures > 0);
    native.udpClose(path);
    native.udpClose(path);
    say(failures);
    peer.close();`);
  t.is(said, '0 1n\nfailed: the device is gone: File descriptor in bad state 77\n1\n');
});

asRoot('a table of peers that is not one is refused, and so is a closed path', async (t) => {
  const said = await inNamespace(`
    device();
    const path = open();
    attempt(() => native.udpSetPeers(path, Buffer.alloc(13)));
    attempt(() => native.udpSetPeers(path, table(['10.9.2.0', 33, '127.0.0.2'])));
    attempt(() => native.udpSetPeers(path, table(['10.9.2.0', 24, '0.0.0.0'])));
    attempt(() => native.udpSetPeers(path, Buffer.alloc(0)));
    attempt(() => native.udpClose({}));
    native.udpClose(path);
    attempt(() => native.udpCounters(path));`);
  t.deepEqual(said.trimEnd().split('\n'), [
    'TypeError udpSetPeers(path, table)',
    '22 table of peers: Invalid argument',
    '22 table of peers: Invalid argument',
    'done',
    'TypeError udpClose(path)',
    '9 closed packet path: Bad file descriptor',
  ]);
});

asRoot('a process may exit, and a worker be terminated, while packets may come', async (t) => {
  const said = await inNamespace(`
    device();
    const source = "import { parentPort } from 'node:worker_threads'; import { open } from '${CHILD}'; globalThis.path = open(); parentPort.postMessage('open');";
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(source, { eval: true });
      await once(worker, 'message');
      say(await worker.terminate());
    }
    globalThis.path = open();
    process.exit(0);`);
  t.is(said, '1\n1\n1\n');
});
