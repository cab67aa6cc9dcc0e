/** An etcd that forgets: all leases, all there is, or all since a backup. Hosts run on, and have their own again. */
import { ETCD_PREFIX } from '../../src/lab/etcd-service.js';
import type { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest, occurrences } from './lab-test.js';
import { deleteLease, leaseEntries, leaseOf, putLease, SUBNETS, vxlanLease } from './lease-keys.js';
import { picture } from './picture.js';
import { losesNothing } from './traffic.js';

const CONFIG = '{"Network":"10.77.0.0/16","Backend":{"Type":"vxlan"}}';

const holders = async (lab: Lab) => (await leaseEntries(lab)).map(({ key, value }) => ({ key, value }));
const pictures = (lab: Lab) => Promise.all(lab.hosts.map(({ namespace }) => picture(namespace)));

/** Waits until the table is as it was, and returns how long that took. */
async function wholeAgain(lab: Lab, before: readonly object[]): Promise<number> {
  const begun = performance.now();
  const isWhole = async () => JSON.stringify(await holders(lab)) === JSON.stringify(before);
  await waitFor('the table as it was', isWhole, { everyMs: 50 });
  return performance.now() - begun;
}

async function logs(lab: Lab): Promise<string> {
  return (await Promise.all(lab.hosts.map(({ daemon }) => daemon.log()))).join('');
}

labTest(
  'when all is wiped, hosts wait for the config and then have their subnets, without a packet lost',
  async (t) => {
    const lab = await labFor(t, { hosts: 3 });
    const before = await holders(lab);
    const kernels = await pictures(lab);
    await losesNothing(t, lab.hosts, async () => {
      await lab.etcd.ctl('del', '--prefix', ETCD_PREFIX);
      const waits = async () => occurrences(await logs(lab), 'waiting for the network config') >= 3;
      await waitFor('word of the config', waits);
      const longer = performance.now() + 1_500;
      await waitFor('the end of the grace', () => performance.now() > longer);
      t.deepEqual(await holders(lab), []);
      t.deepEqual(await pictures(lab), kernels);
      await lab.etcd.ctl('put', `${ETCD_PREFIX}/config`, CONFIG);
      t.true((await wholeAgain(lab, before)) < 5_000);
    });
    t.deepEqual(await pictures(lab), kernels);
    for (const { daemon } of lab.hosts) t.regex(await daemon.readiness(), / 200 /);
  },
);

labTest(
  'when etcd begins anew, hosts have their subnets once the config is there, without a packet lost',
  async (t) => {
    const lab = await labFor(t, { hosts: 3 });
    const before = await holders(lab);
    await losesNothing(t, lab.hosts, async () => {
      await lab.etcd.restore();
      await lab.etcd.ctl('put', `${ETCD_PREFIX}/config`, CONFIG);
      t.true((await wholeAgain(lab, before)) < 5_000);
    });
    t.is((await lab.untilAllReach()).length, 6);
  },
);

labTest(
  'when etcd is restored from an old backup, newer truth is put back, without a packet lost',
  async (t) => {
    const lab = await labFor(t, { hosts: 3 });
    const { directory } = lab.host('h1');
    const [, h2] = lab.hosts;
    // In the backup another host has the subnet of h1, h2 another address, and h3 no lease yet.
    const before = await holders(lab);
    const [one, two, three] = await Promise.all(
      lab.hosts.map(async ({ address }) => (await leaseOf(lab, address))!),
    );
    for (const { daemon } of lab.hosts) await daemon.stop();
    await putLease(lab, one!.key, vxlanLease('192.168.77.99', '02:00:00:00:00:99'));
    await putLease(lab, two!.key, two!.value.replace(h2!.address, '192.168.77.98'));
    await deleteLease(lab, three!.key);
    await lab.etcd.save(`${directory}/backup`);
    for (const { key } of [one!, two!]) await deleteLease(lab, key);
    for (const { daemon } of lab.hosts) await daemon.start();
    for (const { daemon } of lab.hosts) await daemon.ready();
    await wholeAgain(lab, before);
    await lab.untilAllReach();
    // So that revisions go back a good deal.
    for (let n = 0; n < 20; n++) await lab.etcd.ctl('put', '/elsewhere', String(n));

    await losesNothing(t, lab.hosts, async () => {
      await lab.etcd.restore(`${directory}/backup`);
      t.true((await wholeAgain(lab, before)) < 5_000);
    });
    t.is((await lab.untilAllReach()).length, 6);
    for (const { daemon } of lab.hosts) t.regex(await daemon.readiness(), / 200 /);
    const told = await logs(lab);
    t.is(occurrences(told, 'our lease is out of an older backup of etcd'), 2, told);
  },
);

/** So that no host takes a subnet that a test writes by hand. */
const LOW_SUBNETS = { SubnetMin: '10.77.1.0', SubnetMax: '10.77.99.0' };

labTest('peers whose leases went at once are held, and let go when their time is over', async (t) => {
  const lab = await labFor(t, { hosts: 1, flags: ['--peer-hold=3s'], config: LOW_SUBNETS });
  const [host] = lab.hosts;
  const routes = async () => occurrences(await host!.ip('route show proto 76'), ' dev flannel.1 ');
  const key = (n: number) => `10.77.${100 + n}.0-24`;
  for (let n = 1; n <= 6; n++)
    await putLease(lab, key(n), vxlanLease(`192.168.77.${100 + n}`, `02:00:00:00:00:0${n}`));
  await waitFor('six routes', async () => (await routes()) === 6);
  await deleteLease(lab, key(1));
  await waitFor('five routes', async () => (await routes()) === 5);
  await lab.etcd.ctl('del', `${SUBNETS}/${key(2)}`, `${SUBNETS}/${key(5)}`);
  const says = (text: string) => waitFor(text, async () => (await host!.daemon.log()).includes(text));
  await says(
    'leases are missing from etcd, their peers are held for a while peers=3 reason="3 of 5 went at once"',
  );
  t.is(await routes(), 5);
  await says('no peer without a lease is held any more');
  await waitFor('two routes', async () => (await routes()) === 2);
});

labTest('a host that restarts when most leases are gone holds the peers that it knew', async (t) => {
  const lab = await labFor(t, { hosts: 1, config: LOW_SUBNETS });
  const host = lab.host('h1');
  const routes = async () => occurrences(await host.ip('route show proto 76'), ' dev flannel.1 ');
  for (const n of [1, 2, 3, 4])
    await putLease(lab, `10.77.${100 + n}.0-24`, vxlanLease(`192.168.77.${100 + n}`, `02:00:00:00:00:0${n}`));
  await waitFor('four routes', async () => (await routes()) === 4);
  const before = await picture(host.namespace);
  await host.daemon.stop();
  await lab.etcd.ctl('del', `${SUBNETS}/10.77.101.0-24`, `${SUBNETS}/10.77.105.0-24`);
  await host.daemon.start();
  await host.daemon.ready();
  await waitFor('word', async () =>
    (await host.daemon.log()).includes('their peers are held for a while peers=4'),
  );
  t.is(await picture(host.namespace), before);
});
