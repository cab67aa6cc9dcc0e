/** When lodend says that it is ready, everything is in place, and it is soon. */
import { readFile, stat } from 'node:fs/promises';
import type { Daemon } from '../../src/lab/daemon.js';
import type { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest } from './lab-test.js';
import { leaseOf, SUBNETS, vxlanLease } from './lease-keys.js';
import { receiveNotifications } from './notified.js';

/** So many peers that putting them into the kernel takes longer than a look at it. */
const MANY = 4_000;
const FEW = 10;
/** Ten times what is promised on a machine that has nothing else to do: here other tests run beside it. */
const SOON_MS = 4_000;

/** Leases of hosts that do not exist, in one transaction. */
async function putPeers(lab: Lab, count: number): Promise<void> {
  const puts = Array.from({ length: count }, (_, index) => {
    const bytes = [(index >> 8) & 0xff, index & 0xff];
    const mac = `02:00:00:00:${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
    const lease = vxlanLease(`192.0.${bytes[0]! + 100}.${bytes[1]}`, mac);
    return `put ${SUBNETS}/10.${128 + bytes[0]!}.${bytes[1]}.0-24 ${JSON.stringify(JSON.stringify(lease))}`;
  });
  await lab.wire.namespace.exec(['etcdctl', `--endpoints=${lab.etcd.endpoint}`, 'txn'], {
    input: `\n${puts.join('\n')}\n\n\n`,
    env: { ETCDCTL_API: '3' },
  });
}

async function labWithPeers(t: Parameters<typeof labFor>[0], count: number): Promise<Lab> {
  const lab = await labFor(t, {
    hosts: 1,
    daemon: false,
    config: { Network: '10.0.0.0/8', SubnetMin: '10.77.1.0', SubnetMax: '10.77.255.0', SubnetLen: 24 },
    etcd: { flags: ['--max-txn-ops=10000', '--max-request-bytes=10000000'] },
  });
  await putPeers(lab, count);
  return lab;
}

labTest('READY=1 comes once all peers are in the kernel, and /readyz says so too', async (t) => {
  const lab = await labWithPeers(t, MANY);
  const host = lab.host('h1');
  const receiver = await receiveNotifications(host, 'ip route show proto 76 | wc -l');
  t.teardown(receiver.stop);
  const daemon = host.makeDaemon('lodend', { kind: 'lodend', env: { NOTIFY_SOCKET: receiver.path } });
  await daemon.start();
  // Each message is followed by the number of routes at that moment; until the lease is there only STATUS= comes.
  await waitFor('READY=1', async () => /^READY=1\n.*\n\d+$/m.test(await receiver.told()));
  const told = await receiver.told();
  const subnet = (await leaseOf(lab, host.address))!.key.replace('-', '/');
  t.is(told.slice(told.indexOf('READY=1')), `READY=1\nSTATUS=${subnet} by vxlan\n${MANY}\n`);
  await daemon.ready();
  t.regex(await daemon.readiness(), /flanneld is ready$/);
});

async function msUntilReady(daemon: Daemon): Promise<number> {
  const begun = Date.now();
  await daemon.start();
  const line = await waitFor('ready', async () => {
    const lines = (await daemon.log()).split('\n');
    return lines.findLast((text) => / ready /.test(text) && Date.parse(text.split(' ')[0]!) >= begun);
  });
  return Date.parse(line.split(' ')[0]!) - begun;
}

labTest('with ten peers and a local etcd, lodend is soon ready', async (t) => {
  const lab = await labWithPeers(t, FEW);
  const host = lab.host('h1');
  const daemon = host.makeDaemon('lodend', { kind: 'lodend' });
  const rounds: number[] = [];
  for (let round = 0; round < 3; round++) {
    rounds.push(await msUntilReady(daemon));
    t.is((await host.ip('route')).match(/proto 76/g)?.length, FEW);
    await daemon.stop();
  }
  t.log(`${rounds.join(', ')} ms`);
  t.true(Math.min(...rounds) < SOON_MS);
});

labTest('a fresh host gets what packets need, and subnet.env as flannel writes it', async (t) => {
  const lab = await labFor(t, { hosts: 1, daemon: false });
  const host = lab.host('h1');
  await host.namespace.setSysctl('ipv4/ip_forward', '0');
  await lab.etcd.ctl(
    'put',
    `${SUBNETS}/10.77.42.0-24`,
    JSON.stringify(vxlanLease(host.address, '02:00:00:00:00:01')),
  );
  const daemon = host.makeDaemon('lodend', { kind: 'lodend', flags: ['--ip-masq'] });
  await daemon.start();
  await daemon.ready();
  const value = (path: string) => host.exec(['cat', `/proc/sys/net/${path}`]);
  t.is(await value('ipv4/ip_forward'), '1');
  t.is(await value('ipv6/conf/flannel.1/accept_ra'), '0');
  t.regex(await daemon.log(), / info .*kernel setting changed.*net\/ipv4\/ip_forward=1/);
  t.is(
    await readFile(daemon.subnetFile, 'utf8'),
    'FLANNEL_NETWORK=10.77.0.0/16\nFLANNEL_SUBNET=10.77.42.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n',
  );
  t.is((await stat(daemon.subnetFile)).mode & 0o777, 0o644);
});
