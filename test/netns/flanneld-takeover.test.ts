/** A host that changes between flanneld and lodend again and again, in every way that one may follow the other. */
import { readFile } from 'node:fs/promises';
import type { Daemon } from '../../src/lab/daemon.js';
import type { LabHost } from '../../src/lab/host.js';
import type { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, mixedTest } from './lab-test.js';
import { leaseEntries } from './lease-keys.js';
import { losesNothing } from './traffic.js';

const begin = async (daemon: Daemon) => {
  await daemon.start();
  await daemon.ready();
};

const CHANGES: Readonly<Record<string, (from: Daemon, to: Daemon) => Promise<void>>> = {
  'once the other has stopped': async (from, to) => {
    await from.stop();
    await begin(to);
  },
  'once the other was killed': async (from, to) => {
    await from.kill();
    await begin(to);
  },
  'while the other still runs': async (from, to) => {
    await begin(to);
    await from.stop();
  },
};

/** What is to be the same whoever runs: firewall rules without counts of packets, subnet file, leases without our fields. */
async function picture(lab: Lab, host: LabHost): Promise<string> {
  const rules = ['nat', 'filter'].map((table) => host.exec(['iptables-save', '-t', table]));
  const lines = (await Promise.all(rules)).flatMap((text) => text.split('\n'));
  const leases = await leaseEntries(lab);
  return [
    ...lines.filter((line) => line.startsWith('-A')),
    await readFile(host.daemon.subnetFile, 'utf8'),
    ...leases.map(({ key, value }) => `${key} ${value.replace(/,"Loden.*(?=})/, '')}`),
  ].join('\n');
}

for (const backend of ['vxlan', 'host-gw'])
  for (const [when, change] of Object.entries(CHANGES)) {
    mixedTest(`${backend}: flanneld and lodend follow each other three times, ${when}`, async (t) => {
      const lab = await labFor(t, { backend, daemon: 'flanneld', flags: ['--ip-masq'] });
      await lab.untilAllReach();
      const host = lab.host('h1');
      // One directory, and so one subnet file.
      const directory = `${host.directory}/flanneld`;
      const lodend = host.makeDaemon('lodend', {
        kind: 'lodend',
        directory,
        healthPort: 8472,
        flags: ['--ip-masq'],
      });
      await waitFor('its rules', async () => (await picture(lab, host)).includes('flanneld masq'));
      const before = await picture(lab, host);
      const unchanged = async () => (await picture(lab, host)) === before;
      const explain = async () => `before:\n${before}\nnow:\n${await picture(lab, host)}`;
      for (const [from, to] of [1, 2, 3].flatMap(() => [
        [host.daemon, lodend],
        [lodend, host.daemon],
      ])) {
        await losesNothing(t, lab.hosts, () => change(from!, to!));
        await waitFor(`the same picture with ${to!.kind}`, unchanged, { explain });
      }
    });
  }
