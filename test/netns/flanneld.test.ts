/** A network of hosts with lodend and hosts with flanneld. */
import { waitFor } from '../../src/lab/wait.js';
import { labFor, mixedTest } from './lab-test.js';
import { deleteLease, leaseEntries, leaseOf } from './lease-keys.js';
import { copiesWhole } from './tcp-copy.js';

/** The odd ones have lodend. */
const mixed = (number: number) => ({
  daemon: number % 2 === 0 ? ('flanneld' as const) : ('lodend' as const),
});

for (const backend of ['vxlan', 'host-gw', 'udp'] as const) {
  mixedTest(`${backend}: hosts with lodend and hosts with flanneld reach each other`, async (t) => {
    const lab = await labFor(t, { hosts: 4, backend, each: mixed });
    t.is((await lab.untilAllReach()).length, 12);
    const [h1, h2] = [lab.host('h1'), lab.host('h2')];
    t.true(await copiesWhole(h1.container!, h2.container!));
    t.true(await copiesWhole(h2.container!, h1.container!));
  });

  mixedTest(`${backend}: containers reach the other hosts, and hosts the other containers`, async (t) => {
    const lab = await labFor(t, { backend, each: mixed });
    await lab.untilAllReach();
    for (const [one, other] of [lab.hosts, lab.hosts.toReversed()]) {
      t.true(await copiesWhole(one!.container!, other!));
      t.true(await copiesWhole(one!, other!.container!));
    }
  });
}

mixedTest('hosts of both kinds that boot at once get a subnet each', async (t) => {
  const each = (number: number) => ({ ...mixed(number), container: false });
  const lab = await labFor(t, { hosts: 16, config: { SubnetLen: 24, SubnetMax: '10.77.18.0' }, each });
  const holders = (await leaseEntries(lab)).map(({ value }) => JSON.parse(value).PublicIP);
  t.is(new Set(holders).size, 16);
});

mixedTest('a host that is gone leaves the tables of the other kind of host', async (t) => {
  const lab = await labFor(t, { each: mixed });
  await lab.untilAllReach();
  for (const [one, other] of [lab.hosts, lab.hosts.toReversed()]) {
    const { key } = (await leaseOf(lab, one!.address))!;
    await one!.daemon.stop();
    await deleteLease(lab, key);
    const routes = () => other!.ip('route');
    await waitFor('no route', async () => !(await routes()).includes('dev flannel.1'), { explain: routes });
    t.notRegex(await other!.exec(['bridge', 'fdb', 'show', 'dev', 'flannel.1']), RegExp(one!.address));
    await one!.daemon.start();
    await one!.daemon.ready();
    t.is((await leaseOf(lab, one!.address))!.key, key);
    await lab.untilAllReach();
  }
});

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
