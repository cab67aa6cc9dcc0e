import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { surveyHost } from '../../src/agent/survey.js';
import { diff } from '../../src/kernel/diff.js';
import { command } from '../../src/kernel/text.js';
import { masked, parsePrefix } from '../../src/net/prefix.js';
import { FakeKernel } from '../fakes/kernel.js';

const SUBNET_FILE = 'FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.1.1/24\n';

function device(kernel: FakeKernel, name: string, addresses: readonly string[], type = 'vxlan'): void {
  kernel.meddle.set({ kind: 'link', name, mac: '02:00:00:00:00:01', mtu: 1450, up: true, type });
  for (const address of addresses) kernel.meddle.set({ kind: 'address', link: name, address });
}

/** What a daemon would remove at once on a host with eth0 and these devices, and before that the host. */
async function surveyed(t: ExecutionContext, backend: object, prepare: (kernel: FakeKernel) => void) {
  const address = '192.0.2.1';
  const network = masked(parsePrefix(`${address}/24`)!);
  const eth0 = { index: 2, name: 'eth0', mtu: 1500, up: true, addresses: [{ address, network }] };
  const kernel = new FakeKernel([eth0]);
  prepare(kernel);
  const folder = await mkdtemp(join(tmpdir(), 'survey-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const subnetFile = join(folder, 'subnet.env');
  await writeFile(subnetFile, SUBNET_FILE);
  const survey = await surveyHost({
    configText: JSON.stringify({ Network: '10.5.0.0/16', Backend: backend }),
    configSource: 'test',
    request: { iface: ['eth0'], ifaceRegex: [], ifaceCanReach: undefined, publicIp: undefined },
    subnetFile,
    kernel,
    signal: new AbortController().signal,
  });
  const { owned, observed } = survey;
  const { changes } = diff({ desired: new Map(), observed, owned });
  return { kernel, survey, removed: changes.map(command) };
}

for (const backend of [{ Type: 'vxlan', VNI: 21 }, { Type: 'host-gw' }])
  test(`${backend.Type}: the device by which an earlier VNI reached our subnet is removed`, async (t) => {
    const { removed, survey } = await surveyed(t, backend, (kernel) => {
      device(kernel, 'flannel.20', ['10.5.1.0/32']);
    });
    t.deepEqual(removed, ['ip link del flannel.20']);
    t.deepEqual(survey.forbidden, []);
  });

test('devices that are not, by type, name and address, those of our subnet stay', async (t) => {
  const { removed } = await surveyed(t, { Type: 'host-gw' }, (kernel) => {
    device(kernel, 'flannel.20', ['10.6.1.0/32']);
    device(kernel, 'flannel.22', ['10.5.1.0/32'], 'bridge');
    device(kernel, 'flannel.23', ['10.5.1.0/32', '10.6.1.0/32']);
    device(kernel, 'flannel.24', ['10.5.1.0/24']);
    device(kernel, 'flannel.25', []);
    device(kernel, 'mine', ['10.5.1.0/32']);
  });
  t.deepEqual(removed, []);
});

test('the device by which the udp backend reached our subnet is removed, and one made anew is not ours', async (t) => {
  const tun = { kind: 'link', name: 'flannel0', mac: '', mtu: 1472, up: true, type: 'tun' } as const;
  const { kernel, survey, removed } = await surveyed(t, { Type: 'host-gw' }, (before) => {
    before.meddle.set({ ...tun, index: 7 });
    before.meddle.set({ kind: 'address', link: 'flannel0', address: '10.5.1.0/32' });
  });
  t.deepEqual(removed, ['ip link del flannel0']);
  const { owned } = survey;
  kernel.meddle.delete('link flannel0');
  kernel.meddle.set({ ...tun, index: 8 });
  const observed = await kernel.dump(owned, new AbortController().signal);
  t.deepEqual(diff({ desired: new Map(), observed, owned }).changes, []);
});

test('a device that takes the name of a former one, for another network, is not ours', async (t) => {
  const { kernel, survey } = await surveyed(t, { Type: 'host-gw' }, (before) => {
    device(before, 'flannel.20', ['10.5.1.0/32']);
  });
  const { owned } = survey;
  kernel.meddle.delete('link flannel.20');
  const mac = '02:00:00:00:00:09';
  kernel.meddle.set({ kind: 'link', name: 'flannel.20', mac, mtu: 1450, up: true, type: 'vxlan' });
  kernel.meddle.set({ kind: 'address', link: 'flannel.20', address: '10.6.1.0/32' });
  const observed = await kernel.dump(owned, new AbortController().signal);
  t.deepEqual(diff({ desired: new Map(), observed, owned }).changes, []);
});
