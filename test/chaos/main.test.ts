import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import type { ChaosReport } from '../../chaos/report.js';
import { namespaceNames } from '../../src/lab/namespace.js';
import { waitFor } from '../../src/lab/wait.js';

const MAIN = fileURLToPath(new URL('../../chaos/main.js', import.meta.url));
const asRoot = process.getuid?.() === 0 ? test : test.skip;

function chaos(...args: readonly string[]) {
  return execa(process.execPath, ['--enable-source-maps', MAIN, ...args], { reject: false });
}

async function namespacesOf(pid: number): Promise<string[]> {
  return (await namespaceNames()).filter((name) => name.includes(`-${pid}-`));
}

asRoot('a minute of chaos breaks no promise, and leaves nothing behind', async (t) => {
  t.timeout(600_000);
  const folder = await mkdtemp(join(tmpdir(), 'loden-chaos-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const run = chaos('--seed', '27', '--rounds', '9', '--json', join(folder, 'report.json'));
  const { exitCode, stdout, stderr } = await run;
  t.is(exitCode, 0, `${stderr}\n${stdout}`);
  t.regex(
    stdout,
    /^seed 27, vxlan: \d+ events in 9 rounds.*\n.*\n0 of \d+ pings lost.*\nevery promise was kept$/,
  );
  const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as ChaosReport;
  t.is(report.rounds.length, 9);
  t.true(report.rounds.some(({ pings }) => pings !== undefined && pings.sent > 100));
  t.deepEqual(await namespacesOf(run.pid!), []);
});

asRoot('an interrupt ends a run and cleans up', async (t) => {
  const run = chaos('--seed', '1');
  const isUp = async () => (await namespacesOf(run.pid!)).some((name) => name.endsWith('-c5'));
  await waitFor('a network', isUp, { deadlineMs: 60_000 });
  run.kill('SIGINT');
  const { exitCode, stderr } = await run;
  t.is(exitCode, 1);
  t.regex(stderr, /stopped by SIGINT$/);
  t.deepEqual(await namespacesOf(run.pid!), []);
});

test('a value that cannot be is refused, and the help says what there is', async (t) => {
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [['--seed', 'lucky'], /^--seed takes a whole number, not lucky$/],
    [['--minutes='], /^--minutes takes a whole number, not $/],
    [['--backend', 'vlan'], /^--backend takes vxlan, host-gw, udp, not vlan$/],
    [['--hosts', '9'], /^Unknown option '--hosts'/],
  ];
  for (const [words, text] of refusals) {
    const { exitCode, stderr } = await chaos(...words);
    t.is(exitCode, 2, stderr);
    t.regex(stderr, text);
  }
  t.regex((await chaos('--help')).stdout, /--minutes N/);
});
