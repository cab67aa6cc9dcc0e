/** A host that starts while etcd is away: it goes on from what it knew, if its lease cannot have expired. */
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { ETCD_PREFIX } from '../../src/lab/etcd-service.js';
import type { LabHost } from '../../src/lab/host.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest, occurrences, sharedLab } from './lab-test.js';
import { leaseEntries, leaseOf, putLease, vxlanLease } from './lease-keys.js';
import { losesNothing } from './traffic.js';

const theLab = sharedLab({ hosts: 3 });

const stateFile = (host: LabHost) => `${host.directory}/lodend/state/last-known`;

/** What a reboot leaves of a host: its disk. */
async function rebooted(host: LabHost): Promise<void> {
  await host.daemon.kill();
  await rm(host.daemon.subnetFile);
  await host.exec(['sh', '-c', 'ip link del flannel.1; iptables -F; iptables -t nat -F; true']);
}

labTest('a host that reboots while etcd is away has its subnet and its peers at once', async (t) => {
  const lab = theLab();
  const host = lab.host('h1');
  const subnetFile = await readFile(host.daemon.subnetFile, 'utf8');
  const before = await leaseEntries(lab);
  await waitFor(
    'the state file',
    async () => (await readFile(stateFile(host), 'utf8').catch(() => '')).split('\n').length === 7,
  );
  await lab.etcd.stop();
  await rebooted(host);
  const logBefore = await host.daemon.log();
  const started = performance.now();
  await host.daemon.start();
  await host.daemon.ready();
  t.true(performance.now() - started < 5_000);
  t.is(await readFile(host.daemon.subnetFile, 'utf8'), subnetFile);
  t.is((await lab.untilAllReach()).length, 6);
  const told = (await host.daemon.log()).slice(logBefore.length);
  t.regex(
    told,
    /starting from the last known state, without etcd reason=".*ECONNREFUSED.*" leaseSecondsLeft=\d+/,
  );
  t.is(occurrences(told, ' warn '), 1, told);

  await losesNothing(t, lab.hosts, async () => {
    await lab.etcd.start();
    await waitFor('word of etcd', async () => (await host.daemon.log()).includes('etcd is back'));
  });
  t.deepEqual(await leaseEntries(lab), before);
  t.regex(await host.daemon.readiness(), / 200 /);
});

labTest('a restart while etcd is away loses no packet', async (t) => {
  const lab = theLab();
  await lab.etcd.stop();
  await losesNothing(t, lab.hosts, () => lab.host('h1').daemon.restart());
  await lab.etcd.start();
  await waitFor('a renewed watch', async () =>
    (await lab.host('h1').daemon.log()).trimEnd().endsWith('etcd is back'),
  );
  t.is((await lab.untilAllReach()).length, 6);
});

labTest('a damaged state is named, and etcd is waited for', async (t) => {
  const lab = theLab();
  const { daemon } = lab.host('h1');
  await daemon.stop();
  await lab.etcd.stop();
  const path = stateFile(lab.host('h1'));
  const whole = await readFile(path, 'utf8');
  await writeFile(path, whole.replace('"config"', '"confix"'));
  const logBefore = await daemon.log();
  await daemon.start();
  await waitFor('word', async () =>
    (await daemon.log()).slice(logBefore.length).includes('waiting for etcd'),
  );
  const told = (await daemon.log()).slice(logBefore.length);
  t.true(told.includes(`the last known state cannot be used reason="${path}: it is damaged"`), told);
  t.regex(await daemon.readiness(), / 503 .*waiting for etcd/s);
  await lab.etcd.start();
  await daemon.ready();
});

labTest('a host whose lease may have expired waits for etcd, and says why', async (t) => {
  const lab = await labFor(t, { flags: ['--subnet-lease-ttl=3s'] });
  const { daemon } = lab.host('h1');
  await daemon.stop();
  await lab.etcd.stop();
  const over = performance.now() + 3_000;
  await waitFor('the end of the lease', () => performance.now() > over);
  await daemon.start();
  const why =
    /waiting for etcd and the network config reason=".*; the last known state is of no use, as our lease may have expired/;
  await waitFor('word', async () => why.test(await daemon.log()));
  t.regex(await daemon.readiness(), / 503 .*may have expired/s);
  await lab.etcd.start();
  await daemon.ready();
  t.is((await lab.untilAllReach()).length, 2);
});

labTest('a host that lost its subnet does not start with it when etcd is away', async (t) => {
  const lab = await labFor(t, { hosts: 1 });
  const host = lab.host('h1');
  const { daemon } = host;
  await waitFor('the state file', () => stat(stateFile(host)).catch(() => false));
  const { key } = (await leaseOf(lab, host.address))!;
  await putLease(lab, key, vxlanLease('192.168.77.99', '02:00:00:00:00:99'));
  t.is((await daemon.ended()).exitCode, 3);
  await lab.etcd.stop();
  const logBefore = await daemon.log();
  await daemon.start();
  const told = async () => (await daemon.log()).slice(logBefore.length);
  await waitFor('word', async () => (await told()).includes('waiting for etcd'));
  t.false((await told()).includes('starting from the last known state'));
  await lab.etcd.start();
  await daemon.ready();
  t.not((await leaseOf(lab, host.address))!.key, key);
});

labTest('a host that started without etcd goes over to the config that etcd turns out to have', async (t) => {
  const lab = await labFor(t);
  const host = lab.host('h1');
  await host.daemon.stop();
  await host.cutOff();
  await host.daemon.start();
  await host.daemon.ready();
  t.true((await host.daemon.log()).includes('no result so far'));
  await lab.etcd.ctl(
    'put',
    `${ETCD_PREFIX}/config`,
    '{"Network":"10.78.0.0/16","Backend":{"Type":"vxlan","VNI":7}}',
  );
  await host.reconnect();
  const lease = await waitFor('the new lease', async () => {
    const found = await leaseOf(lab, host.address);
    return found?.key.startsWith('10.78.') && found;
  });
  const line = `FLANNEL_SUBNET=${lease.key.replace(/0-24/, '1/24')}`;
  await waitFor('the subnet file', async () =>
    (await readFile(host.daemon.subnetFile, 'utf8')).includes(line),
  );
  const links = () => host.exec(['ip', '-brief', 'link', 'show', 'type', 'vxlan']);
  await waitFor('the new device', async () => /^flannel\.7 .*\n?$/.test(await links()));
  t.regex(await host.daemon.readiness(), / 200 /);
  t.is((await host.daemon.log()).match(/etcd has another network config/g)?.length, 1);
});
