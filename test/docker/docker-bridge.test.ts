/** When the file is written, when the engine is restarted, and what the log says: on an engine that is a few fields. */
import { readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DockerBridge } from '../../src/docker/docker-bridge.js';
import type { Dockerd } from '../../src/docker/dockerd.js';
import type { EngineState } from '../../src/docker/engine.js';
import type { DockerFlag } from '../../src/docker/flags.js';
import { DockerError } from '../../src/errors.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { recordingLog } from '../fakes/log.js';
import { folderWith } from './folder.js';

const SETTINGS = { bip: parsePrefix('10.77.5.1/24')!, mtu: 1450, ipMasq: true };
const FOLLOWS = JSON.stringify({ bip: '10.77.5.1/24', mtu: 1450, 'ip-masq': true });
const HOUR_MS = 3_600_000;

const ON_OTHER: EngineState = {
  version: '26.1.5',
  bridge: { bip: parsePrefix('172.17.0.1/16')!, mtu: undefined },
  liveRestore: false,
  containersRunning: 0,
};
const ON_LEASE: EngineState = { ...ON_OTHER, bridge: { bip: SETTINGS.bip, mtu: SETTINGS.mtu } };

interface World {
  readonly restart?: boolean;
  readonly config?: string;
  readonly state?: EngineState;
  /** What a restart does. */
  readonly onRestart?: () => EngineState;
  readonly flags?: readonly DockerFlag[];
  readonly running?: boolean;
  readonly installed?: string;
  /** When the file was written and when dockerd started, in milliseconds from now. */
  readonly fileAt?: number;
  readonly dockerdAt?: number;
}

async function run(t: ExecutionContext, world: World) {
  const folder = await folderWith(t, { 'daemon.json': world.config ?? '{}' });
  const configFile = join(folder, 'daemon.json');
  const fileAt = (Date.now() + (world.fileAt ?? -2 * HOUR_MS)) / 1000;
  await utimes(configFile, fileAt, fileAt);
  const { log, lines } = recordingLog();
  let state = world.state ?? ON_OTHER;
  let restarts = 0;
  let startedAt = Date.now() + (world.dockerdAt ?? -HOUR_MS);
  const dockerd = (): Dockerd | undefined =>
    world.running === false ? undefined : { pid: 1, words: [], startedAt };
  const bridge = new DockerBridge(
    {
      restart: world.restart ?? true,
      configFile,
      engine: { version: async () => state.version, state: async () => state },
      control: {
        how: 'a restart',
        restart: async () => {
          restarts += 1;
          startedAt = Date.now();
          state = (world.onRestart ?? (() => ON_LEASE))();
        },
      },
      host: {
        findDockerd: async () => dockerd(),
        dockerFlags: async () => world.flags ?? [],
        installedVersion: async () => world.installed,
      },
      log,
    },
    SETTINGS,
  );
  const signal = new AbortController().signal;
  await bridge.write(signal);
  const written = JSON.parse(await readFile(configFile, 'utf8').catch(() => '{}')) as Record<string, unknown>;
  if (world.running !== false) await bridge.settle(signal);
  return { written, restarts, messages: lines.map(({ msg }) => msg), lines };
}

test('an engine that has not read what we wrote is restarted once', async (t) => {
  const { restarts, messages } = await run(t, {});
  t.is(restarts, 1);
  t.deepEqual(messages.slice(-2), [
    'restarting Docker for its new settings',
    'docker0 is on the leased subnet',
  ]);
});

test('an engine that follows already is left alone', async (t) => {
  const { restarts, messages } = await run(t, { config: FOLLOWS, state: ON_LEASE });
  t.is(restarts, 0);
  t.deepEqual(messages, ['docker0 is on the leased subnet']);
});

test('an engine is restarted when it started before the file was written, although we find it written', async (t) => {
  t.is((await run(t, { config: FOLLOWS, fileAt: -HOUR_MS, dockerdAt: -2 * HOUR_MS })).restarts, 1);
});

test('an engine that has read the file and does not follow is not restarted, and the log warns', async (t) => {
  const { restarts, messages } = await run(t, { config: FOLLOWS });
  t.is(restarts, 0);
  t.deepEqual(messages, ['docker0 is not as leased, though Docker has read its settings']);
});

test('a change of what only a start reads, with the address as it was, restarts too', async (t) => {
  const config = FOLLOWS.replace('true', 'false');
  t.is((await run(t, { config, state: ON_LEASE })).restarts, 1);
});

test('under write the engine is never restarted, and the log says how it is done', async (t) => {
  const { restarts, lines } = await run(t, { restart: false });
  t.is(restarts, 0);
  t.like(lines.at(-1), {
    level: 'warn',
    how: 'a restart',
    docker0: '172.17.0.1/16, MTU 1500',
    leased: '10.77.5.1/24, MTU 1450',
  });
});

test('with live-restore and running containers a restart would change nothing, so there is none', async (t) => {
  const state = { ...ON_OTHER, liveRestore: true, containersRunning: 3 };
  const { restarts, lines } = await run(t, { state });
  t.is(restarts, 0);
  t.like(lines.at(-1), { level: 'warn', containers: 3 });
  t.like((await run(t, { state, config: FOLLOWS })).lines.at(-1), { level: 'warn', containers: 3 });
  t.is((await run(t, { state: { ...state, containersRunning: 0 } })).restarts, 1);
});

test('a restart that fails is told and does not end the daemon', async (t) => {
  const onRestart = () => {
    throw new DockerError('start request repeated too quickly');
  };
  const { lines } = await run(t, { onRestart });
  t.like(lines.at(-1), { level: 'error', reason: 'start request repeated too quickly' });
});

test('what is refused is told once, and there is no restart', async (t) => {
  const flags: DockerFlag[] = [{ name: 'bip', value: 'x', source: 'here' }];
  const { restarts, written, messages } = await run(t, { flags });
  t.deepEqual([restarts, written], [0, {}]);
  t.deepEqual(messages, ['daemon.json is left as it is']);
});

test('routing to containers is allowed where the engine has that option, also when it does not run yet', async (t) => {
  const key = 'allow-direct-routing';
  t.true((await run(t, { state: { ...ON_OTHER, version: '28.2.0' } })).written[key]);
  t.true((await run(t, { running: false, installed: '29.0.1' })).written[key]);
  for (const world of [
    { state: { ...ON_OTHER, version: '28.1.1' } },
    { running: false, installed: '20.10.24+dfsg1' },
    { running: false },
  ])
    t.false(key in (await run(t, world)).written);
});
