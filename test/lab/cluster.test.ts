/** An etcd of several members in a lab: what the tests of faults take for granted. */
import test, { type ExecutionContext } from 'ava';
import { Authority } from '../../src/lab/authority.js';
import { Lab } from '../../src/lab/lab.js';
import { bothWays } from '../../src/lab/link-faults.js';
import { namespaceNames } from '../../src/lab/namespace.js';
import { ping } from '../../src/lab/ping.js';
import { labDirectory } from '../../src/lab/record.js';
import { waitFor } from '../../src/lab/wait.js';

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;

async function cluster(t: ExecutionContext, hosts = 1): Promise<Lab> {
  const lab = await Lab.up({ daemon: false, cluster: true, hosts });
  t.teardown(() => lab.down());
  return lab;
}

asRoot('three members answer who has a certificate and a role, and nobody else', async (t) => {
  const lab = await cluster(t);
  t.is(lab.cluster.members.length, 3);
  t.regex(await lab.etcd.ctl('get', '/coreos.com/network/config'), /Network/);
  const as = (authority: Authority, name: string) =>
    lab
      .host('h1')
      .namespace.attempt([
        ...['etcdctl', `--endpoints=${lab.etcd.endpoint}`, '--command-timeout=2s', 'get', 'elsewhere'],
        `--cacert=${lab.cluster.authority.file('ca.crt')}`,
        ...[`--cert=${authority.file(`${name}.crt`)}`, `--key=${authority.file(`${name}.key`)}`],
      ]);
  t.is((await as(lab.cluster.authority, 'root')).exitCode, 0);
  t.regex((await as(lab.cluster.authority, 'h1')).stderr, /permission denied/);
  const other = await Authority.create(`${labDirectory(lab.name)}/other`);
  await other.issue('root', { commonName: 'root' });
  t.not((await as(other, 'root')).exitCode, 0);
});

asRoot('another leads when the leader is killed, and it joins anew without its data', async (t) => {
  const lab = await cluster(t);
  const leader = await lab.cluster.leader();
  await leader.etcd.kill();
  t.not((await lab.cluster.leader()).name, leader.name);
  await lab.cluster.rejoin(leader);
  t.regex(await leader.etcd.ctl('get', '/coreos.com/network/config'), /Network/);
});

asRoot('a backup brings back what was there, and nothing brings back nothing', async (t) => {
  const lab = await cluster(t);
  const file = `${labDirectory(lab.name)}/backup`;
  await lab.etcd.ctl('put', 'a', 'before');
  await lab.etcd.save(file);
  await lab.etcd.ctl('put', 'a', 'after');
  await lab.etcd.restore(file);
  t.is(await lab.etcd.ctl('get', 'a', '--print-value-only'), 'before');
  await lab.etcd.restore();
  t.is(await lab.etcd.ctl('get', 'a', '--print-value-only'), '');
});

asRoot('links lose packets as told, in one direction or both, and are mended at once', async (t) => {
  const lab = await cluster(t, 2);
  const [h1, h2] = [lab.host('h1'), lab.host('h2')];
  const received = async (count = 1) => (await ping(h1.namespace, h2.address, count)).received;
  const arrived = async () => {
    const [names, values] = (await h2.exec(['grep', '^Icmp:', '/proc/net/snmp'])).split('\n');
    return Number(values!.split(' ')[names!.split(' ').indexOf('InEchos')]);
  };
  t.is(await received(), 1);

  const before = await arrived();
  await lab.wire.disturb({ from: 'h2', to: 'h1' });
  t.is(await received(), 0);
  t.is(await arrived(), before + 1);
  await lab.wire.disturb({ from: 'h1', to: 'h2' });
  t.is(await received(), 0);
  t.is(await arrived(), before + 1);
  await lab.wire.disturb(...bothWays('h1', 'e1'));
  t.is(await received(), 1);
  await lab.wire.disturb({ from: 'h1', lossPercent: 50 });
  const some = await received(100);
  t.true(some > 20 && some < 80, `${some} of 100`);
  await lab.wire.disturb();
  t.is(await received(), 1);
});

asRoot(
  'a host that reboots has new links and no subnet file, and a new address reaches the others',
  async (t) => {
    const lab = await cluster(t, 2);
    const [h1, h2] = [lab.host('h1'), lab.host('h2')];
    await h1.ip('route add 10.1.0.0/16 via 192.168.77.2');
    await h1.reboot();
    t.notRegex(await h1.ip('route'), /10\.1\.0\.0/);
    // The wire takes up to a second to notice a new link.
    const isReached = async () => (await ping(h2.namespace, h1.address, 1)).received === 1;
    await waitFor('a way to h1', isReached);
    await h1.changeAddress('192.168.77.99');
    await waitFor('a way to its new address', isReached);
    t.is((await ping(h2.namespace, '192.168.77.1', 1)).received, 0);
    await h1.replug();
    await waitFor('a way over its new link', isReached);
    t.is(h1.address, '192.168.77.99');
  },
);

asRoot('a lab with a cluster that is down has left nothing', async (t) => {
  const lab = await Lab.up({ daemon: false, cluster: true, hosts: 1 });
  await lab.down();
  t.deepEqual(
    (await namespaceNames()).filter((name) => name.startsWith(`loden-${lab.name}-`)),
    [],
  );
});
