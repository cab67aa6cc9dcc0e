/** A network of lodend and flanneld: the binary that the environment variable FLANNELD names, of version 0.20 or later. */

import test from 'ava';
import type { LabHost } from '../../src/lab/host.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest } from './lab-test.js';
import { leaseEntries, leaseOf } from './lease-keys.js';
import { copiesWhole } from './tcp-copy.js';
import { losesNothing } from './traffic.js';

const mixedTest = process.env.FLANNELD ? labTest : test.serial.skip;

const mac = async (host: LabHost) => /link\/ether (\S+)/.exec(await host.ip('link show flannel.1'))![1];

for (const backend of ['vxlan', 'host-gw', 'udp'] as const) {
  mixedTest(`${backend}: hosts with lodend and hosts with flanneld reach each other`, async (t) => {
    const each = (number: number) => ({
      daemon: number % 2 === 0 ? ('flanneld' as const) : ('lodend' as const),
    });
    const lab = await labFor(t, { hosts: 4, backend, each });
    t.is((await lab.untilAllReach()).length, 12);
    const [h1, h2] = [lab.host('h1'), lab.host('h2')];
    t.true(await copiesWhole(h1.container!, h2.container!));
    t.true(await copiesWhole(h2.container!, h1.container!));
  });
}

for (const backend of ['vxlan', 'host-gw'] as const) {
  mixedTest(
    `${backend}: lodend takes a host over from flanneld and gives it back, and no packet is lost`,
    async (t) => {
      const lab = await labFor(t, { hosts: 2, backend, daemon: 'flanneld' });
      await lab.untilAllReach();
      const host = lab.host('h1');
      const { key } = (await leaseOf(lab, host.address))!;
      const macBefore = backend === 'vxlan' ? await mac(host) : undefined;
      const lodend = host.makeDaemon('flanneld', { kind: 'lodend' });
      await losesNothing(t, lab.hosts, async () => {
        await host.daemon.stop();
        await lodend.start();
        await lodend.ready();
      });
      t.regex(await host.ip('route'), /proto 76/);
      await losesNothing(t, lab.hosts, async () => {
        await lodend.stop();
        await host.daemon.start();
        await host.daemon.ready();
      });
      t.is((await leaseOf(lab, host.address))!.key, key);
      t.is((await leaseEntries(lab)).length, 2);
      if (backend === 'vxlan') t.is(await mac(host), macBefore);
    },
  );
}

mixedTest(
  'udp: lodend waits for a flanneld that still runs, names it, and takes over when it ends',
  async (t) => {
    const lab = await labFor(t, { hosts: 2, backend: 'udp', daemon: 'flanneld' });
    await lab.untilAllReach();
    const host = lab.host('h1');
    const { key } = (await leaseOf(lab, host.address))!;
    const lodend = host.makeDaemon('lodend', { kind: 'lodend', healthPort: 8472 });
    await lodend.start();
    const log = () => lodend.log();
    await waitFor('the word', async () => (await log()).includes('packet path cannot be opened'), {
      explain: log,
    });
    t.regex(await log(), /obstacle="flanneld\S*, process \d+"/);
    t.is((await lab.untilAllReach()).length, 2);
    await host.daemon.stop();
    await lodend.ready();
    t.is((await lab.untilAllReach()).length, 2);
    t.is((await leaseOf(lab, host.address))!.key, key);
  },
);

mixedTest('udp: flanneld takes a host over from lodend, whose device stays, and gives it back', async (t) => {
  const lab = await labFor(t, { hosts: 2, backend: 'udp' });
  await lab.untilAllReach();
  const host = lab.host('h1');
  const { key } = (await leaseOf(lab, host.address))!;
  await host.daemon.stop();
  const flanneld = host.makeDaemon('lodend', { kind: 'flanneld' });
  await flanneld.start();
  await flanneld.ready();
  t.is((await lab.untilAllReach()).length, 2);
  t.true(await copiesWhole(host.container!, lab.host('h2').container!));
  await flanneld.stop();
  await host.daemon.start();
  await host.daemon.ready();
  t.is((await lab.untilAllReach()).length, 2);
  t.is((await leaseOf(lab, host.address))!.key, key);
});
