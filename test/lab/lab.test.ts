import { once } from 'node:events';
import { existsSync } from 'node:fs';
import test from 'ava';
import { execa } from 'execa';
import { Lab } from '../../src/lab/lab.js';
import { Namespace, namespaceNames } from '../../src/lab/namespace.js';
import type { LabOptions } from '../../src/lab/options.js';
import { allReached, ping } from '../../src/lab/ping.js';
import { Pinger } from '../../src/lab/pinger.js';
import { claimLab, labDirectory, readRecord } from '../../src/lab/record.js';
import { RUN_MARK, sweep } from '../../src/lab/sweep.js';
import { takeDown } from '../../src/lab/take-down.js';
import { waitFor } from '../../src/lab/wait.js';

const asRoot = process.getuid?.() === 0 ? test : test.skip;

/** Hosts without a daemon, with containers and routes made by hand. */
async function labByHand(options: LabOptions = {}): Promise<Lab> {
  const lab = await Lab.up({ daemon: false, ...options });
  for (const host of lab.hosts) {
    await host.namespace.setSysctl('ipv4/ip_forward', '1');
    await host.attachContainer({ bridgeAddress: `10.77.${host.number}.1/24`, mtu: 1400 });
    for (const peer of lab.hosts)
      if (peer !== host) await host.ip(`route add 10.77.${peer.number}.0/24 via ${peer.address}`);
  }
  return lab;
}

async function traces(lab: Lab): Promise<string[]> {
  return (await namespaceNames()).filter((name) => name.startsWith(`loden-${lab.name}-`));
}

asRoot('containers of a lab reach each other over routes made by hand', async (t) => {
  const lab = await labByHand({ hosts: 3 });
  t.teardown(() => lab.down());
  const matrix = await lab.pingAll();
  t.is(matrix.length, 6);
  t.true(allReached(matrix));
  t.true(matrix.every((entry) => entry.roundTripMs! > 0));
});

asRoot('a lab that is down has left no namespace, process or file', async (t) => {
  const lab = await Lab.up({ daemon: false });
  t.is((await traces(lab)).length, 3);
  const [etcd] = await lab.wire.namespace.processes();
  await lab.down();
  t.deepEqual(await traces(lab), []);
  t.false(existsSync(labDirectory(lab.name)));
  t.false(existsSync(`/proc/${etcd}`));
  await lab.down();
});

asRoot('two labs with the same addresses do not see each other', async (t) => {
  const [one, other] = await Promise.all([labByHand(), Lab.up({ daemon: false })]);
  t.teardown(() => Promise.all([one.down(), other.down()]));
  await one.host('h2').cutOff();
  t.is((await ping(one.host('h1').namespace, '192.168.77.2', 1)).received, 0);
  t.is((await ping(other.host('h1').namespace, '192.168.77.2', 1)).received, 1);
});

asRoot('packets that a cut-off host does not get are counted as lost', async (t) => {
  const lab = await labByHand();
  t.teardown(() => lab.down());
  const pinger = await Pinger.start(lab.host('h1').container!.namespace, lab.host('h2').container!.address);
  const hundredMore = (count: number) => waitFor('more answers', () => pinger.received > count + 100);
  await hundredMore(0);
  await lab.host('h2').cutOff();
  await lab.host('h2').reconnect();
  await hundredMore(pinger.received);
  t.true((await pinger.stop()).lost > 0);
});

asRoot('a network left alone loses no packet at a thousand pings a second', async (t) => {
  const lab = await labByHand();
  t.teardown(() => lab.down());
  const pinger = await Pinger.start(lab.host('h1').container!.namespace, lab.host('h2').container!.address);
  await waitFor('a few answers', () => pinger.received > 500);
  const { sent, lost } = await pinger.stop();
  t.true(sent > 500);
  t.is(lost, 0);
});

asRoot('etcd keeps its data over a restart, and a compaction forgets old revisions', async (t) => {
  const lab = await Lab.up({ daemon: false, hosts: 1, config: { Network: '10.9.0.0/16' } });
  t.teardown(() => lab.down());
  await lab.etcd.stop();
  await t.throwsAsync(lab.etcd.ctl('get', 'any', '--command-timeout=200ms'), { message: /etcdctl/ });
  await lab.etcd.start();
  t.regex(await lab.etcd.ctl('get', '/coreos.com/network/config'), /10\.9\.0\.0\/16/);
  await lab.etcd.compact();
  await t.throwsAsync(lab.etcd.ctl('get', 'any', '--rev=1'), { message: /compacted/ });
});

asRoot('an etcd that is paused does not answer until it is resumed', async (t) => {
  const lab = await Lab.up({ daemon: false, hosts: 1 });
  t.teardown(() => lab.down());
  lab.etcd.pause();
  await t.throwsAsync(lab.etcd.ctl('get', 'any', '--command-timeout=300ms'), { message: /deadline/ });
  lab.etcd.resume();
  t.is(await lab.etcd.ctl('get', 'any'), '');
});

asRoot('hosts come later and go without a goodbye, and the record follows', async (t) => {
  const lab = await Lab.up({ daemon: false });
  t.teardown(() => lab.down());
  const late = await lab.addHost();
  t.is(late.name, 'h3');
  await lab.removeHost(lab.host('h1'));
  t.deepEqual(
    (await readRecord(lab.name)).hosts.map((host) => host.address),
    ['192.168.77.2', '192.168.77.3'],
  );
  t.is((await ping(late.namespace, '192.168.77.1', 1)).received, 0);
});

asRoot('a lab that cannot be made whole leaves nothing', async (t) => {
  const name = `test-${process.pid}-broken`;
  await t.throwsAsync(
    Lab.up({ name, daemon: false, etcd: { flags: ['--listen-client-urls=http://192.0.2.1:2379'] } }),
    {
      message: /cannot assign/,
    },
  );
  t.false(await takeDown(name));
});

asRoot('a lab that is interrupted while it is made leaves nothing', async (t) => {
  const name = `test-${process.pid}-interrupted`;
  const interrupt = new AbortController();
  const onStep = (step: string) => step.includes('hosts') && interrupt.abort(new Error('Ctrl-C'));
  await t.throwsAsync(Lab.up({ name, daemon: false, signal: interrupt.signal, onStep }), {
    message: 'Ctrl-C',
  });
  t.false(await takeDown(name));
});

asRoot('a name can be taken once', async (t) => {
  const name = `test-${process.pid}-name`;
  t.teardown(() => takeDown(name));
  await claimLab(name);
  await t.throwsAsync(Lab.up({ name }), { message: /there already/ });
  await t.throwsAsync(claimLab('../elsewhere'), { message: /cannot be a lab's name/ });
});

asRoot('the sweep clears away what a dead process left, and nothing of one that lives', async (t) => {
  const lab = await Lab.up({ daemon: false, hosts: 1 });
  t.teardown(() => lab.down());
  const left = new Namespace(`loden-test-${await deadPid()}-left`);
  await left.create();
  await sweep();
  t.false(await left.exists());
  t.true(await lab.wire.namespace.exists());
});

asRoot('the sweep ends what a dead run started, and clears away what that leaves', async (t) => {
  // So much memory that it does not end the moment that it is killed.
  const program = "$_ = 'x' x 500_000_000; $| = 1; print 'ready'; sleep 60";
  const child = execa('perl', ['-e', program], { env: { [RUN_MARK]: `${await deadPid()}` }, reject: false });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const left = new Namespace(`loden-test-${child.pid}-left`);
  t.teardown(() => left.delete());
  await left.create();
  await sweep();
  t.is((await child).signal, 'SIGKILL');
  t.false(await left.exists());
});

async function deadPid(): Promise<number> {
  const child = execa('true');
  await child;
  return child.pid!;
}
