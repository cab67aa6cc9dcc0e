import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { namespaceNames } from '../../src/lab/namespace.js';
import { LAB_BACKENDS } from '../../src/lab/options.js';
import { readRecord } from '../../src/lab/record.js';
import type { LabStatus } from '../../src/lab/status.js';
import { takeDown } from '../../src/lab/take-down.js';

const asRoot = process.getuid?.() === 0 ? test : test.skip;
const program = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));

function loden(...args: string[]) {
  return execa(process.execPath, [program, 'lab', ...args], { reject: false, stdin: 'ignore' });
}

async function namespacesOf(lab: string): Promise<string[]> {
  return (await namespaceNames()).filter((name) => name.startsWith(`loden-${lab}-`));
}

for (const backend of LAB_BACKENDS)
  asRoot(`loden lab up, status, exec and down do what they say over ${backend}`, async (t) => {
    const name = `test-${process.pid}-${backend}`;
    t.teardown(() => takeDown(name));
    const up = await loden('up', '--name', name, '--hosts', '2', '--backend', backend);
    t.is(up.exitCode, 0, up.stderr);

    const status = await loden('status', '--name', name, '--json');
    t.is(status.exitCode, 0, status.stdout);
    const { hosts, pings, backend: type } = JSON.parse(status.stdout) as LabStatus;
    t.is(type, backend);
    t.deepEqual(
      hosts.map((host) => host.daemon),
      ['running', 'running'],
    );
    t.is(pings.length, 2);

    const inside = await loden('exec', '--name', name, 'h2', '--', 'ip', '-br', 'address', 'show', 'eth0');
    t.regex(inside.stdout, /192\.168\.77\.2\/24/);
    t.is((await loden('exec', '--name', name, 'c1', '--', 'bash', '-c', 'exit 7')).exitCode, 7);
    t.regex(
      (await loden('exec', '--name', name, 'h9', '--', 'true')).stderr,
      /there is: h1, c1, h2, c2, wire/,
    );

    t.is((await loden('down', '--name', name)).exitCode, 0);
    t.deepEqual(await namespacesOf(name), []);
    t.is((await loden('status', '--name', name)).exitCode, 1);
  });

test('a pool that no daemon would take is refused before anything is made', async (t) => {
  const { exitCode, stderr } = await loden('up', '--network', '10.77.0.0/30');
  t.is(exitCode, 2);
  t.regex(stderr, /^loden: the lab's config: [^\n]*Network is "10\.77\.0\.0\/30"[^\n]*$/);
});

asRoot('the status of a lab whose daemon died and whose route went says both, and fails', async (t) => {
  const name = `test-${process.pid}-dying`;
  t.teardown(() => takeDown(name));
  const up = await loden('up', '--name', name, '--hosts', '2');
  t.is(up.exitCode, 0, up.stderr);
  process.kill((await readRecord(name)).hosts[0]!.daemon!.pid, 'SIGKILL');
  await loden('exec', '--name', name, 'h1', '--', 'ip', 'link', 'delete', 'flannel.1');
  const { exitCode, stdout } = await loden('status', '--name', name);
  t.is(exitCode, 1);
  t.regex(stdout, /^h1 .* ended /m);
  t.regex(stdout, /0 of 2 ways are open/);
});

asRoot('the demo comes true, fits 80 columns and leaves nothing', async (t) => {
  const demo = loden('demo');
  const { exitCode, stdout, stderr } = await demo;
  t.is(exitCode, 0, stdout + stderr);
  t.regex(stdout, /All 6 ways are open/);
  t.regex(stdout, /All of it came true/);
  t.deepEqual(
    stdout.split('\n').filter((line) => line.length > 80),
    [],
  );
  t.deepEqual(await namespacesOf(`demo-${demo.pid}`), []);
});

asRoot('an interrupted demo fails and leaves nothing', async (t) => {
  const demo = loden('demo');
  demo.stdout.on('data', (chunk: Buffer) => {
    if (String(chunk).includes('a daemon in each')) demo.kill('SIGINT');
  });
  const result = await demo;
  t.is(result.exitCode, 1, `${result.signal} ${result.stdout}${result.stderr}`);
  t.deepEqual(await namespacesOf(`demo-${demo.pid}`), []);
});
