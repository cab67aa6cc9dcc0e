import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { stateObstacle, stateReader } from '../../../src/agent/state/state-check.js';
import { type KnownState, stateFile, writeState } from '../../../src/agent/state/state-file.js';
import { recordingLog } from '../../fakes/log.js';
import { attributes, lease } from '../../lease/leases.js';

const OURS = 'a'.repeat(32);

function state(more: Partial<KnownState> = {}, identity: string | undefined = OURS): KnownState {
  const said = attributes('192.0.2.1', identity === undefined ? {} : { identity });
  return {
    etcdPrefix: '/coreos.com/network',
    configText: '{"Network":"10.5.0.0/16"}',
    lease: lease('10.5.34.0/24', '192.0.2.1', { attributes: said }),
    ttlSeconds: 86_400,
    renewed: { wallMs: 1_780_000_000_000, bootId: 'c0ffee', sinceBootMs: 4_711 },
    leases: new Map(),
    revision: 12,
    ...more,
  };
}

test('a state of this host can be begun with', (t) => {
  t.is(stateObstacle(state(), OURS), undefined);
});

test("so can one from when the lease was still a flanneld's", (t) => {
  const flanneld = lease('10.5.34.0/24', '192.0.2.1', { attributes: attributes('192.0.2.1') });
  t.is(stateObstacle(state({ lease: flanneld }), OURS), undefined);
});

test("another host's is not used", (t) => {
  t.regex(stateObstacle(state(), 'b'.repeat(32))!, /of the host with the identity a+, and ours is b+/);
});

test('a config that this version cannot use is no reason to end', (t) => {
  const configText = '{"Network":"10.5.0.0/16","Backend":{"Type":"carrier-pigeon"}}';
  t.regex(stateObstacle(state({ configText }), OURS)!, /carrier-pigeon/);
});

test('a lease that its own config has no room for is not used', (t) => {
  const configText = '{"Network":"10.6.0.0/16"}';
  t.is(stateObstacle(state({ configText }), OURS), 'its lease, 10.5.34.0/24, is not of its network config');
});

test('of a state that cannot be used the log tells once, however often it is read', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'loden-check-'));
  t.teardown(() => rm(stateDir, { recursive: true }));
  const { log, lines } = recordingLog();
  const read = stateReader({ stateDir, etcdPrefix: '/coreos.com/network', identity: OURS }, log);
  await writeFile(stateFile(stateDir), 'rubbish');
  for (const _ of [1, 2, 3]) t.is(await read(), undefined);
  await writeState(stateDir, state());
  t.deepEqual(await read(), state());
  await writeState(stateDir, state({}, 'b'.repeat(32)));
  for (const _ of [1, 2, 3]) t.is(await read(), undefined);
  t.deepEqual(
    lines.map(({ msg, reason }) => [msg, /damaged|identity/.exec(String(reason))?.[0]]),
    [
      ['the last known state cannot be used', 'damaged'],
      ['the last known state cannot be used', 'identity'],
    ],
  );
});

test('nothing is said of a state that is of another network', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'loden-check-'));
  t.teardown(() => rm(stateDir, { recursive: true }));
  const { log, lines } = recordingLog();
  await writeState(stateDir, state());
  t.is(await stateReader({ stateDir, etcdPrefix: '/other', identity: OURS }, log)(), undefined);
  t.deepEqual(lines, []);
});
