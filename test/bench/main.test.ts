import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import type { Row } from '../../bench/figure.js';
import { namespaceNames } from '../../src/lab/namespace.js';
import { waitFor } from '../../src/lab/wait.js';

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
const asRoot = process.getuid?.() === 0 ? test : test.skip;

function bench(...args: readonly string[]) {
  return execa(process.execPath, [MAIN, ...args], { reject: false });
}

async function namespacesOf(pid: number): Promise<string[]> {
  return (await namespaceNames()).filter((name) => name.includes(`-${pid}-`));
}

asRoot('a figure is measured, shown, written to a file, and leaves nothing behind', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'loden-bench-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const run = bench('start', '--quick', '--json', join(folder, 'figures.json'));
  const { exitCode, stdout, stderr } = await run;
  t.is(exitCode, 0, stderr);
  t.regex(
    stdout,
    /^exec to ready, 10 peers +[\d.]+ m?s +node -e 0 +[\d.]+ ms +[\d.]+ +at most 400 ms: (met|missed)$/m,
  );
  const { rows } = JSON.parse(await readFile(join(folder, 'figures.json'), 'utf8')) as { rows: Row[] };
  t.deepEqual(
    rows.map((row) => [row.loden.length, row.peer?.name]),
    [[1, 'node -e 0']],
  );
  t.deepEqual(await namespacesOf(run.pid!), []);
});

asRoot('an interrupt ends a run and cleans up', async (t) => {
  const run = bench('peers');
  await waitFor('a network', async () => (await namespacesOf(run.pid!)).length > 0);
  run.kill('SIGINT');
  const { exitCode, stdout, stderr } = await run;
  t.is(exitCode, 1);
  t.is(stdout, '');
  t.regex(stderr, /stopped by SIGINT$/);
  t.deepEqual(await namespacesOf(run.pid!), []);
});

test('an unknown figure is refused with the list of those there are', async (t) => {
  const { exitCode, stderr } = await bench('speed');
  t.is(exitCode, 2);
  t.regex(stderr, /^there is no figure speed; there is: start, .*throughput/);
});

test('an unknown flag is refused with the usage, which fits 80 columns', async (t) => {
  const { exitCode, stderr } = await bench('--fast');
  t.is(exitCode, 2);
  const { stdout: usage } = await bench('--help');
  t.regex(stderr, /^Unknown option '--fast'/);
  t.true(stderr.endsWith(usage));
  t.deepEqual(
    usage.split('\n').filter((line) => line.length > 80),
    [],
  );
});
