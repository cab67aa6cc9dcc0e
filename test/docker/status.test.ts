import test from 'ava';
import { type EngineState, hasDirectRouting } from '../../src/docker/engine.js';
import { dockerStatus, type StatusInput } from '../../src/docker/status.js';
import { parsePrefix } from '../../src/net/prefix.js';

const lease = { bip: parsePrefix('10.77.5.1/24')!, mtu: 1450, ipMasq: true };
const text = '{"bip": "10.77.5.1/24", "mtu": 1450, "ip-masq": true}';
const engine: EngineState = {
  version: '26.1.5',
  bridge: { bip: lease.bip, mtu: 1450 },
  liveRestore: false,
  containersRunning: 0,
};
const good: StatusInput = { lease, text, flags: [], engine, how: 'a restart' };
const elsewhere: EngineState = { ...engine, bridge: { bip: parsePrefix('172.17.0.1/16')!, mtu: undefined } };

test('lease, file and engine that say the same agree', (t) => {
  const { agrees, advice, lease: leased, file, engine: seen } = dockerStatus(good);
  t.true(agrees);
  t.deepEqual(advice, []);
  t.deepEqual(leased, { bip: '10.77.5.1/24', mtu: 1450 });
  t.deepEqual(file, leased);
  t.like(seen, { ...leased, version: '26.1.5' });
});

const DIFFERENCES: readonly (readonly [title: string, change: Partial<StatusInput>, advice: RegExp])[] = [
  ['no subnet', { lease: undefined }, /^This host has no subnet: start lodend/],
  ['no file', { text: undefined }, /daemon\.json does not say what the lease does/],
  ['a file of another lease', { text: text.replace('77.5', '77.6') }, /daemon\.json does not say/],
  [
    'a file that lacks what this engine needs',
    { engine: { ...engine, version: '28.2.2' } },
    /daemon\.json does not/,
  ],
  ['a file that cannot follow', { text: '{"bridge": "br0"}' }, /cannot follow the lease: bridge br0/],
  ['no engine', { engine: 'ENOENT' }, /Docker does not answer: ENOENT/],
  ['an engine on another subnet', { engine: elsewhere }, /restart it \(a restart\)/],
  [
    'an engine with another MTU',
    { engine: { ...engine, bridge: { bip: lease.bip, mtu: undefined } } },
    /restart it/,
  ],
  ['an engine without a bridge', { engine: { ...engine, bridge: undefined } }, /restart it/],
  [
    'live-restore with containers',
    { engine: { ...elsewhere, liveRestore: true, containersRunning: 2 } },
    /2 running containers.*stop them all, then restart it/,
  ],
];

for (const [title, change, advice] of DIFFERENCES)
  test(`what does not agree comes with what to do: ${title}`, (t) => {
    const status = dockerStatus({ ...good, ...change });
    t.false(status.agrees);
    t.regex(status.advice.join(' '), advice);
  });

test('the option to route to containers came with 28.2', (t) => {
  const versions = [
    '20.10.24+dfsg1',
    '26.1.5',
    '28.0.4',
    '28.1',
    '28.2.0-rc.1',
    '28.2',
    '28.5.2',
    '29.0.0',
    'dev',
    '',
  ];
  t.deepEqual(versions.filter(hasDirectRouting), ['28.2.0-rc.1', '28.2', '28.5.2', '29.0.0']);
});
