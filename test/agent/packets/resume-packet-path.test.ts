import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { HeldPath } from '../../../src/agent/packets/held-path.js';
import { resumePacketPath } from '../../../src/agent/packets/resume-packet-path.js';
import { currentMoment } from '../../../src/agent/state/moment.js';
import { type KnownState, writeState } from '../../../src/agent/state/state-file.js';
import type { DaemonOptions } from '../../../src/config/options/daemon.js';
import { parseDaemonOptions } from '../../../src/config/options/parse.js';
import { leaseKey } from '../../../src/lease/codec.js';
import { masked, parsePrefix } from '../../../src/net/prefix.js';
import { peerLease } from '../../backend/views.js';
import { FakeKernel } from '../../fakes/kernel.js';
import { recordingLog } from '../../fakes/log.js';
import { FakePacketPaths } from '../../fakes/packet-paths.js';

const own = peerLease('10.5.1.0/24', '192.0.2.1', '');
const leases = [
  own,
  peerLease('10.5.2.0/24', '192.0.2.2', ''),
  // Of another network, and so refused.
  peerLease('10.6.3.0/24', '192.0.2.3', ''),
];

const state: KnownState = {
  etcdPrefix: '/coreos.com/network',
  configText: '{"Network":"10.5.0.0/16","Backend":{"Type":"udp"}}',
  lease: own,
  ttlSeconds: 3600,
  renewed: currentMoment(),
  leases: new Map(leases.map((lease) => [leaseKey(lease), lease])),
  revision: 9,
};

function daemonOptions(stateDir: string): DaemonOptions {
  const words = [`--state-dir=${stateDir}`, `--subnet-file=${stateDir}/subnet.env`, '--iface=eth0'];
  const command = parseDaemonOptions(words, {});
  if (command.kind !== 'run') throw new TypeError('no options to run with');
  return command.options;
}

/** What a start makes of the last known state, on a host with eth0 and, if it is not told otherwise, flannel0. */
async function resume(t: ExecutionContext, known: KnownState | undefined, device = 'flannel0') {
  const stateDir = await mkdtemp(join(tmpdir(), 'resume-'));
  t.teardown(() => rm(stateDir, { recursive: true }));
  if (known) await writeState(stateDir, known);
  const address = '192.0.2.1';
  const network = masked(parsePrefix(`${address}/24`)!);
  const kernel = new FakeKernel([
    { index: 2, name: 'eth0', mtu: 1500, up: true, addresses: [{ address, network }] },
  ]);
  kernel.meddle.set({ kind: 'link', name: device, mac: '', mtu: 1472, up: true, type: 'tun' });
  const paths = new FakePacketPaths(device);
  const { log, lines } = recordingLog();
  const heldPath = new HeldPath(paths, log);
  const { signal } = new AbortController();
  await resumePacketPath({ options: daemonOptions(stateDir), kernel, heldPath, log, signal });
  return { paths, lines, asked: kernel.asked };
}

test('the path that there was is open again with the peers that can be trusted, and the kernel is not touched', async (t) => {
  const { paths, lines, asked } = await resume(t, state);
  t.deepEqual(paths.opened[0]?.wish, {
    device: 'flannel0',
    address: '192.0.2.1',
    port: 8285,
    tunnelAddress: '10.5.1.0',
  });
  t.deepEqual(paths.opened[0]?.tables, [['10.5.2.0/24 at 192.0.2.2']]);
  t.like(lines.at(-1), { msg: 'packet path resumed from the last known state', peers: 1 });
  t.deepEqual(asked, []);
});

for (const [what, known, device] of [
  ['there is no state', undefined, 'flannel0'],
  ['the device is gone, as after a reboot', state, 'other0'],
  ['the state is of another network', { ...state, etcdPrefix: '/other' }, 'flannel0'],
  [
    'the kernel carried the packets',
    { ...state, configText: '{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}' },
    'flannel0',
  ],
  [
    'the state is of another host',
    { ...state, lease: { ...own, attributes: { ...own.attributes, identity: 'f'.repeat(32) } } },
    'flannel0',
  ],
  ["its lease is not one of its config's", { ...state, lease: leases[2]! }, 'flannel0'],
  ['the config cannot be read', { ...state, configText: '{' }, 'flannel0'],
] as const) {
  test(`nothing is opened and nothing said where ${what}`, async (t) => {
    const { paths, lines } = await resume(t, known, device);
    t.deepEqual(paths.opened, []);
    t.deepEqual(lines, []);
  });
}
