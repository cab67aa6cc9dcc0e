import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type KnownState, readState } from '../../../src/agent/state/state-file.js';
import { StateKeeper } from '../../../src/agent/state/state-keeper.js';
import { waitFor } from '../../../src/lab/wait.js';
import { recordingLog } from '../../fakes/log.js';
import { lease } from '../../lease/leases.js';

const known = (revision: number): KnownState => ({
  etcdPrefix: '/x',
  configText: '{}',
  lease: lease('10.5.34.0/24', '192.0.2.1'),
  ttlSeconds: 60,
  renewed: { wallMs: 1, bootId: 'b', sinceBootMs: 1 },
  leases: new Map(),
  revision,
});

async function setUp(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'loden-keeper-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const { log, lines } = recordingLog();
  const stateDir = join(folder, 'state');
  return { stateDir, lines, keeper: new StateKeeper(stateDir, log) };
}

test('many changes are few writings, and the last of them is written', async (t) => {
  const { stateDir, keeper } = await setUp(t);
  let asked = 0;
  const over = performance.now() + 1_500;
  for (let revision = 1; performance.now() < over; revision++) {
    keeper.changed(() => {
      asked += 1;
      return known(revision);
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.true(asked >= 1 && asked <= 2, String(asked));
  keeper.changed(() => known(0));
  await keeper.close();
  t.is((await readState(stateDir)).state?.revision, 0);
});

test('a folder that cannot be written is told of once, and written when it can be', async (t) => {
  const { stateDir, lines, keeper } = await setUp(t);
  await writeFile(stateDir, 'in the way');
  keeper.changed(() => known(1));
  await waitFor('word', () => lines.length === 1);
  t.regex(lines[0]!.msg, /^the last known state cannot be written/);
  t.regex(String(lines[0]!.error), /cannot write .*\/state\/last-known: /);
  await rm(stateDir);
  await mkdir(stateDir);
  await waitFor('word', () => lines.length === 2, { deadlineMs: 10_000 });
  t.is(lines[1]!.msg, 'the last known state can be written again');
  t.is((await readState(stateDir)).state?.revision, 1);
  t.regex(await readFile(join(stateDir, 'last-known'), 'utf8'), /^loden last-known 1\n/);
});

test('without a change nothing is written', async (t) => {
  const { stateDir, keeper } = await setUp(t);
  await keeper.close();
  t.deepEqual(await readState(stateDir), {});
});

test('what is to be forgotten is gone, also when it is being written', async (t) => {
  const { stateDir, keeper } = await setUp(t);
  keeper.changed(() => known(1));
  await waitFor('the file', async () => (await readState(stateDir)).state !== undefined);
  let asked = false;
  keeper.changed(() => {
    asked = true;
    return known(2);
  });
  await waitFor('the next writing', () => asked);
  keeper.changed(() => known(3));
  await keeper.forget();
  await keeper.close();
  t.deepEqual(await readState(stateDir), {});
});

test('forgetting does not mind that there is nothing, or nowhere', async (t) => {
  const { stateDir, keeper } = await setUp(t);
  await keeper.forget();
  await writeFile(stateDir, 'in the way');
  await keeper.forget();
  t.is(await readFile(stateDir, 'utf8'), 'in the way');
});
