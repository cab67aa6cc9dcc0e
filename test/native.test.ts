import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { FileError } from '../src/errors.js';
import { load, loadNative } from '../src/native.js';
import { packageRoot } from '../src/package-root.js';

const run = promisify(execFile);
/** RTMGRP_LINK */
const LINKS = 1;
const NATIVE = new URL('../src/native.js', import.meta.url).href;

/** Runs a program with `native` in scope in a process of its own; fails unless that ends by itself, and well. */
async function inProcess(program: string): Promise<string> {
  const source = `import { loadNative } from ${JSON.stringify(NATIVE)}; const native = loadNative(); ${program}`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], { timeout: 10_000 });
  return stdout;
}

test('a missing build is an error that says how to make it', (t) => {
  t.throws(() => load('/nonexistent', 'linux-x64'), {
    instanceOf: FileError,
    message: /run: make -C \/nonexistent\/native /,
  });
});

test('a machine that the package has no build for makes its own, once', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'loden-build-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  cpSync(join(packageRoot(), 'native'), join(root, 'native'), { recursive: true });
  symlinkSync(join(packageRoot(), 'node_modules'), join(root, 'node_modules'));
  mkdirSync(join(root, 'prebuilds/linux-other'), { recursive: true });
  writeFileSync(join(root, 'prebuilds/linux-other/loden.node'), 'of another kind of machine');
  t.is(typeof load(root, 'linux-other').notify, 'function');
  const built = join(root, 'prebuilds/linux-other-built/loden.node');
  const { mtimeMs } = statSync(built);
  t.is(typeof load(root, 'linux-other').notify, 'function');
  t.is(statSync(built).mtimeMs, mtimeMs);
});

test('a request over a closed socket is refused', (t) => {
  const socket = loadNative().netlinkOpen();
  loadNative().netlinkClose(socket);
  loadNative().netlinkClose(socket);
  t.throws(() => loadNative().netlinkTransact(socket, Buffer.alloc(16), 1), {
    message: /Bad file descriptor/,
  });
});

test('a handle of another kind is refused, and what it holds goes on', async (t) => {
  t.is(
    await inProcess(`
      const socket = native.netlinkOpen();
      const listener = native.netlinkListen(0, ${LINKS}, () => {});
      for (const misuse of [
        () => native.netlinkClose(listener),
        () => native.netlinkTransact(listener, Buffer.alloc(16), 1),
        () => native.netlinkStopListening(socket),
        () => native.netlinkClose({}),
        () => native.netlinkStopListening(undefined),
      ])
        try {
          misuse();
          console.log('taken');
        } catch (error) {
          console.log(error.name);
        }
      native.netlinkStopListening(listener);
      native.netlinkClose(socket);`),
    'TypeError\n'.repeat(5),
  );
});

test('a listener that was stopped does not keep the process alive', async (t) => {
  t.is(
    await inProcess(`
      const listener = native.netlinkListen(0, ${LINKS}, () => {});
      native.netlinkStopListening(listener);
      native.netlinkStopListening(listener);
      console.log('stopped');`),
    'stopped\n',
  );
});

test('a process may exit while it listens', async (t) => {
  t.is(
    await inProcess(`
      globalThis.listener = native.netlinkListen(0, ${LINKS}, () => {});
      console.log('listening');
      process.exit(0);`),
    'listening\n',
  );
});

test('a worker may be terminated while it listens', async (t) => {
  const source = `import(${JSON.stringify(NATIVE)}).then(({ loadNative }) => {
    globalThis.listener = loadNative().netlinkListen(0, ${LINKS}, () => {});
    require('node:worker_threads').parentPort.postMessage('listening');
  });`;
  for (let i = 0; i < 5; i++) {
    const worker = new Worker(source, { eval: true });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    t.is(await worker.terminate(), 1);
  }
});

test('a notification that nobody receives is an error with its errno', (t) => {
  t.like(
    t.throws(() => loadNative().notify('/nonexistent/socket', 'READY=1')),
    { errno: 2 },
  );
});

/** Node has no datagram sockets of this family, so Perl, which every Debian has, stands in for systemd. */
const RECEIVER = `
use Socket; $| = 1; my $path = $ARGV[0]; $path =~ s/^@/\\0/;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($path)) or die "bind: $!";
print "bound\\n"; recv($s, my $text, 4096, 0); print $text;`;

async function received(path: string, message: string): Promise<string> {
  const receiver = spawn('perl', ['-e', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(receiver.stdout, 'data');
    const [[text]] = await Promise.all([
      once(receiver.stdout, 'data', { signal: AbortSignal.timeout(5000) }),
      loadNative().notify(path, message),
    ]);
    return String(text);
  } finally {
    receiver.kill();
  }
}

test('a notification arrives at a socket file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loden-notify-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  t.is(await received(join(folder, 'socket'), 'READY=1\nSTATUS=ready'), 'READY=1\nSTATUS=ready');
});

test('a notification arrives at an abstract name', async (t) => {
  t.is(await received(`@loden-notify-${process.pid}`, 'READY=1'), 'READY=1');
});
