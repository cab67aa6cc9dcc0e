import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { HeldPath } from '../../../src/agent/packets/held-path.js';
import { PacketPathKeeper } from '../../../src/agent/packets/packet-path-keeper.js';
import type { PacketPathWish, PacketPeer } from '../../../src/backend/packet-path.js';
import { waitFor } from '../../../src/lab/wait.js';
import { parsePrefix } from '../../../src/net/prefix.js';
import { recordingLog } from '../../fakes/log.js';
import { FakePacketPaths } from '../../fakes/packet-paths.js';

const WISH: PacketPathWish = {
  device: 'flannel0',
  address: '192.0.2.1',
  port: 8285,
  tunnelAddress: '10.5.1.0',
};

const peer = (n: number, publicIp = `192.0.2.${n}`): PacketPeer => ({
  subnet: parsePrefix(`10.5.${n}.0/24`)!,
  publicIp,
});

function makeKeeper(paths: FakePacketPaths, wish = WISH, held = new HeldPath(paths, recordingLog().log)) {
  const { log, lines } = recordingLog();
  const changes = new EventEmitter();
  const onHostChange = (changed: () => void, signal: AbortSignal) => {
    changes.on('host', changed);
    signal.addEventListener('abort', () => changes.off('host', changed));
  };
  const keeper = new PacketPathKeeper({ wish, held, kernel: { onHostChange }, log });
  return { keeper, held, changes, messages: () => lines.map(({ msg }) => msg), lines };
}

/** Runs it until the end of the test, or until it is stopped; `opens` counts what it has called back. */
function run(t: ExecutionContext, keeper: PacketPathKeeper) {
  const controller = new AbortController();
  const opens = { count: 0 };
  const ended = keeper.run(controller.signal, () => {
    opens.count += 1;
  });
  const stop = async () => {
    controller.abort();
    await ended;
  };
  t.teardown(stop);
  return { stop, opens };
}

test('a path is open with all peers that there are at the moment it is', async (t) => {
  const paths = new FakePacketPaths('flannel0');
  const { keeper } = makeKeeper(paths);
  keeper.set('a', peer(2));
  keeper.set('b', peer(3));
  const { opens } = run(t, keeper);
  await waitFor('the path', () => opens.count > 0);
  t.deepEqual(paths.opened[0]!.wish, WISH);
  t.deepEqual(paths.opened[0]!.tables[0], ['10.5.2.0/24 at 192.0.2.2', '10.5.3.0/24 at 192.0.2.3']);
});

test('ten thousand changes in one turn of the event loop are one table', async (t) => {
  const paths = new FakePacketPaths('flannel0');
  const { keeper } = makeKeeper(paths);
  const { opens } = run(t, keeper);
  await waitFor('the path', () => opens.count > 0);
  const [path] = paths.opened;
  const before = path!.tables.length;
  for (let n = 0; n < 10_000; n++) keeper.set(`${n}`, peer(n % 256));
  t.is(path!.tables.length, before);
  await setImmediate();
  t.is(path!.tables.length, before + 1);
  t.is(path!.tables.at(-1)?.length, 10_000);
});

test('a peer that moves or goes makes a table, one that is as it was does not', async (t) => {
  const paths = new FakePacketPaths('flannel0');
  const { keeper } = makeKeeper(paths);
  keeper.set('a', peer(2));
  keeper.set('b', peer(3));
  const { opens } = run(t, keeper);
  await waitFor('the path', () => opens.count > 0);
  await setImmediate();
  const { tables } = paths.opened[0]!;
  tables.length = 0;
  keeper.set('a', peer(2));
  keeper.set('c', undefined);
  await setImmediate();
  t.deepEqual(tables, []);
  keeper.set('a', peer(2, '192.0.2.9'));
  await setImmediate();
  keeper.set('b', undefined);
  await setImmediate();
  t.deepEqual(tables, [
    ['10.5.2.0/24 at 192.0.2.9', '10.5.3.0/24 at 192.0.2.3'],
    ['10.5.2.0/24 at 192.0.2.9'],
  ]);
});

test('a device that is made a moment later is waited for without a word', async (t) => {
  const paths = new FakePacketPaths();
  const { keeper, messages } = makeKeeper(paths);
  const { opens } = run(t, keeper);
  await waitFor('some attempts', () => paths.attempts > 2);
  t.is(opens.count, 0);
  paths.devices.add('flannel0');
  await waitFor('the path', () => opens.count > 0);
  t.deepEqual(messages(), []);
});

test('what lasts is told of once, with who is in the way', async (t) => {
  const paths = new FakePacketPaths();
  const { keeper, lines } = makeKeeper(paths);
  run(t, keeper);
  await waitFor('the word', () => lines.length > 0);
  const { attempts } = paths;
  await waitFor('more attempts', () => paths.attempts > attempts + 1);
  t.is(lines.length, 1);
  t.like(lines[0], {
    msg: 'packet path cannot be opened, trying again',
    error: 'flannel0: no such device',
    obstacle: 'flanneld, process 812',
  });
});

test('a path whose threads have ended is opened again with its peers, and is ready but once', async (t) => {
  const paths = new FakePacketPaths('flannel0');
  const { keeper, messages } = makeKeeper(paths);
  keeper.set('a', peer(2));
  const { opens } = run(t, keeper);
  await waitFor('the path', () => opens.count > 0);
  paths.opened[0]!.fail(new Error('read flannel0: File descriptor in bad state'));
  await waitFor('the next path', () => (paths.opened[1]?.tables.length ?? 0) > 0);
  t.true(paths.opened[0]!.closed);
  t.deepEqual(paths.opened[1]!.tables[0], ['10.5.2.0/24 at 192.0.2.2']);
  t.is(opens.count, 1);
  t.deepEqual(messages(), ['packet path ended, opening it again']);
});

test('a path whose device is another one by now is opened again, and not after every change', async (t) => {
  const paths = new FakePacketPaths('flannel0');
  const { keeper, changes, messages } = makeKeeper(paths);
  const { opens, stop } = run(t, keeper);
  await waitFor('the path', () => opens.count > 0);
  const [first] = paths.opened;
  changes.emit('host');
  await setImmediate();
  t.is(paths.opened.length, 1);
  first!.attached = false;
  changes.emit('host');
  await waitFor('the next path', () => paths.opened[1] !== undefined);
  t.true(first!.closed);
  t.deepEqual(messages(), ['packet path ended, opening it again']);
  await stop();
  t.is(changes.listenerCount('host'), 0);
});

test('a device that was changed before the keeper took its path is noticed too', async (t) => {
  const paths = new FakePacketPaths('flannel0');
  const { keeper, held } = makeKeeper(paths);
  held.take(WISH);
  paths.opened[0]!.attached = false;
  run(t, keeper);
  await waitFor('the next path', () => paths.opened[1] !== undefined);
  t.true(paths.opened[0]!.closed);
});

test('a device that another daemon has is waited for, with a word on who has it', async (t) => {
  const paths = new FakePacketPaths('flannel0');
  const release = paths.claim('flannel0');
  const { keeper, held, lines } = makeKeeper(paths);
  const claimed = keeper.claim(new AbortController().signal);
  await waitFor('the word', () => lines.length > 0);
  t.like(lines[0], { error: 'flannel0: another daemon has it', obstacle: 'flanneld, process 812' });
  release();
  await claimed;
  t.throws(() => paths.claim('flannel0'));
  held.take(WISH);
  held.close();
  t.throws(() => paths.claim('flannel0'), undefined, 'a path that is closed is opened again on its device');
  held.release();
  t.notThrows(() => paths.claim('flannel0'));
});

test('a keeper that stops leaves the path to the next one, and to nobody else', async (t) => {
  const paths = new FakePacketPaths('flannel0');
  const { keeper, held } = makeKeeper(paths);
  const first = run(t, keeper);
  await waitFor('the path', () => first.opens.count > 0);
  keeper.set('a', peer(2));
  await first.stop();
  await setImmediate();
  const { tables } = paths.opened[0]!;
  const before = tables.length;
  keeper.set('b', peer(3));
  await setImmediate();
  t.is(tables.length, before);

  const next = makeKeeper(paths, WISH, held).keeper;
  next.set('c', peer(4));
  const { opens } = run(t, next);
  await waitFor('the path', () => opens.count > 0);
  t.is(paths.opened.length, 1);
  t.deepEqual(tables.at(-1), ['10.5.4.0/24 at 192.0.2.4']);
});

test('a path that was opened for another address is closed first', async (t) => {
  const paths = new FakePacketPaths('flannel0');
  const { held } = makeKeeper(paths);
  held.take(WISH);
  const { keeper } = makeKeeper(paths, { ...WISH, address: '192.0.2.7' }, held);
  const { opens } = run(t, keeper);
  await waitFor('the path', () => opens.count > 0);
  t.deepEqual(
    paths.opened.map(({ closed }) => closed),
    [true, false],
  );
});

test('counters are those of the open path', (t) => {
  const { held } = makeKeeper(new FakePacketPaths('flannel0'));
  t.is(held.counters(), undefined);
  held.take(WISH).setPeers([]);
  t.is(held.counters()?.sent_packets, 1n);
  held.close();
  t.is(held.counters(), undefined);
});
