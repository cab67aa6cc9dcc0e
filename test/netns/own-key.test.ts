/** What becomes of a running host when its key in etcd, or etcd itself, goes away. */
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest, occurrences, sharedLab } from './lab-test.js';
import { deleteLease, leaseEntries, leaseOf, putLease, SUBNETS, vxlanLease } from './lease-keys.js';
import { picture } from './picture.js';
import { losesNothing } from './traffic.js';

const theLab = sharedLab();

labTest('a host whose key was deleted has its subnet back at once, and no packet is lost', async (t) => {
  const lab = theLab();
  const [h1] = lab.hosts;
  const before = (await leaseOf(lab, h1!.address))!;
  const logBefore = await h1!.daemon.log();
  await losesNothing(t, lab.hosts, async () => {
    await deleteLease(lab, before.key);
    await waitFor('the key', async () => leaseOf(lab, h1!.address), { everyMs: 5 });
  });
  const after = (await leaseOf(lab, h1!.address))!;
  t.deepEqual([after.key, after.value], [before.key, before.value]);
  t.true(after.createRevision > before.createRevision);
  t.not(after.leaseId, '0');
  const told = (await h1!.daemon.log()).slice(logBefore.length);
  t.is(occurrences(told, '\n'), 2, told);
  t.regex(told, /our lease is gone from etcd.*\n.*our subnet is claimed again/);
  t.regex(await h1!.daemon.readiness(), / 200 /);
});

labTest(
  'a host whose key was overwritten with rubbish keeps its subnet, and no packet is lost',
  async (t) => {
    const lab = theLab();
    const [h1] = lab.hosts;
    const before = (await leaseOf(lab, h1!.address))!;
    await losesNothing(t, lab.hosts, async () => {
      await putLease(lab, before.key, 'rubbish');
      await waitFor('our value', async () =>
        (await leaseEntries(lab)).some(({ key, value }) => key === before.key && value === before.value),
      );
    });
    t.not((await leaseOf(lab, h1!.address))!.leaseId, '0');
    t.regex(await h1!.daemon.readiness(), / 200 /);
  },
);

labTest('an expired lease is claimed again', async (t) => {
  const lab = theLab();
  const host = lab.host('h1');
  const before = (await leaseOf(lab, host.address))!;
  await lab.etcd.ctl('lease', 'revoke', BigInt(before.leaseId).toString(16));
  const after = await waitFor('another lease', async () => {
    const found = await leaseOf(lab, host.address);
    return found?.leaseId !== before.leaseId && found;
  });
  t.deepEqual([after.key, after.value], [before.key, before.value]);
});

labTest('when all leases are wiped, every host gets its subnet back, and no packet is lost', async (t) => {
  const lab = theLab();
  const subnets = async () => (await leaseEntries(lab)).map(({ key, value }) => ({ key, value }));
  const before = await subnets();
  const pictures = () => Promise.all(lab.hosts.map(({ namespace }) => picture(namespace)));
  const picturesBefore = await pictures();
  await losesNothing(t, lab.hosts, async () => {
    await lab.etcd.ctl('del', '--prefix', SUBNETS);
    await waitFor('all leases', async () => (await subnets()).length === before.length);
  });
  t.deepEqual(await subnets(), before);
  await waitFor('all routes', async () => (await pictures()).join() === picturesBefore.join());
  t.is((await lab.untilAllReach()).length, 2);
});

labTest('etcd may be away: packets flow, one line says when it went, and one when it came', async (t) => {
  const lab = await labFor(t, { flags: ['--subnet-lease-ttl=12s'] });
  const { daemon, namespace } = lab.host('h1');
  const [logBefore, pictureBefore] = [await daemon.log(), await picture(namespace)];
  const told = async () => (await daemon.log()).slice(logBefore.length).trimEnd().split('\n');
  await losesNothing(t, lab.hosts, async () => {
    await lab.etcd.stop();
    await waitFor('word of it', async () => (await told()).join('').includes('etcd'));
    // A renewal is due each 4 s: one fails.
    const beyond = performance.now() + 4_500;
    await waitFor('a renewal that fails', () => performance.now() > beyond);
    await lab.etcd.start();
    await waitFor('word that it is back', async () => (await told()).length >= 2);
  });
  const soon = performance.now() + 4_500;
  await waitFor('a renewal', () => performance.now() > soon);
  const lines = await told();
  t.is(lines.length, 2, lines.join('\n'));
  t.regex(lines[0]!, / warn +(etcd is out of reach|cannot renew)/);
  t.regex(lines[1]!, / info +etcd /);
  t.is(await picture(namespace), pictureBefore);
  t.regex(await daemon.readiness(), / 200 /);
});

labTest(
  'a host whose subnet another one holds says who, is not ready, exits 3 and leaves the kernel',
  async (t) => {
    const lab = theLab();
    const host = lab.host('h1');
    const { key } = (await leaseOf(lab, host.address))!;
    const before = await picture(host.namespace);
    await putLease(lab, key, vxlanLease('192.168.77.99', '02:00:00:00:00:99'));
    t.deepEqual(await host.daemon.ended(), { exitCode: 3, signal: null });
    t.notRegex(await host.daemon.readiness(), / 200 /);
    t.is(await picture(host.namespace), before);
    const last = (await host.daemon.log()).trimEnd().split('\n').at(-1)!;
    t.regex(
      last,
      new RegExp(
        `our subnet ${key.replace('-', '/')} is now held by 192\\.168\\.77\\.99: that is what its key in etcd says.*Stop them`,
      ),
    );
  },
);
