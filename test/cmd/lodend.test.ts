import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { until } from '../until.js';

const LODEND = fileURLToPath(new URL('../../cmd/lodend.js', import.meta.url));

test('a daemon whose log nobody reads any more goes on, and stops when told to', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'loden-lodend-'));
  // In place of etcd, somebody who hangs up: the daemon waits, and tries again.
  let calls = 0;
  const silent = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const { port } = silent.address() as { port: number };
  const flags = [`--etcd-endpoints=http://127.0.0.1:${port}`, `--state-dir=${directory}`];
  const daemon = spawn(process.execPath, [LODEND, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(async () => {
    daemon.kill('SIGKILL');
    silent.close();
    await rm(directory, { recursive: true });
  });
  const ended = once(daemon, 'exit');
  daemon.stderr.destroy();
  await until(t, 'the daemon tries etcd again, or ends', () => calls > 5 || daemon.exitCode !== null);
  t.is(daemon.exitCode, null);
  t.regex(await readFile(join(directory, 'identity'), 'utf8'), /^[0-9a-f]{32}$/m);
  daemon.kill('SIGTERM');
  t.deepEqual(await ended, [0, null]);
});
