/** What is particular to the udp backend: its device, its port, and peers that are no loden. */
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { LabHost } from '../../src/lab/host.js';
import { ping } from '../../src/lab/ping.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest, occurrences, sharedLab, subnetOf } from './lab-test.js';
import { leaseOf, putLease } from './lease-keys.js';
import { picture, unnumbered } from './picture.js';

const theLab = sharedLab({ backend: 'udp' });
const FLANNEL_PEER = fileURLToPath(new URL('./flannel-udp-peer.js', import.meta.url));

const saysLater = (host: LabHost, from: number, text: string | RegExp) => {
  const news = async () => (await host.daemon.log()).slice(from);
  return waitFor(String(text), async () => occurrences(await news(), text) > 0, { explain: news });
};

labTest(
  'a config without Backend is udp: its lease is as flannel writes it, its kernel has one route',
  async (t) => {
    const lab = await labFor(t, { config: { Backend: null } });
    t.is((await lab.untilAllReach()).length, 2);
    const host = lab.host('h1');
    const { value } = (await leaseOf(lab, host.address))!;
    t.regex(
      value,
      /^\{"PublicIP":"192\.168\.77\.1","PublicIPv6":null,"LodenIdentity":"\w+","LodenBoot":"\w+"\}$/,
    );
    t.is(await host.ip('route show proto 76'), '10.77.0.0/16 dev flannel0 scope link metric 1000');
    t.regex(await host.ip('address show flannel0'), /mtu 1472 .*inet 10\.77\.\d+\.0\/32 /s);
    t.is(await host.exec(['ip', '-6', 'address', 'show', 'flannel0']), '');
    t.regex(await host.daemon.log(), /path: packet path is open device=flannel0 .*port=8285 queues=\d/);
  },
);

for (const [what, command] of [
  ['deleted', 'ip link del flannel0'],
  ['renamed', 'ip link set flannel0 down; ip link set flannel0 name mine'],
  ['taken down', 'ip link set flannel0 down'],
] as const) {
  labTest(`a device that was ${what} is as it was at once, and packets flow`, async (t) => {
    const lab = theLab();
    const host = lab.host('h1');
    const before = unnumbered(await picture(host.namespace));
    const logBefore = (await host.daemon.log()).length;
    const begun = performance.now();
    await host.exec(['sh', '-ec', command]);
    await saysLater(host, logBefore, 'kernel state was changed by someone else, put back');
    t.true(performance.now() - begun < 2_000);
    const target = lab.host('h2').container!.address;
    await waitFor('an answer', async () => (await ping(host.container!.namespace, target, 1)).received > 0);
    await waitFor('the same kernel again', async () => {
      return unnumbered(await picture(host.namespace)).join() === before.join();
    }).catch(() => undefined);
    t.deepEqual(unnumbered(await picture(host.namespace)), before);
  });
}

labTest('a device that was moved to another network namespace is made anew, and packets flow', async (t) => {
  const lab = theLab();
  const host = lab.host('h1');
  const { namespace } = host.container!;
  t.teardown(() => namespace.ip('link del flannel0'));
  await host.ip(`link set flannel0 netns ${namespace.name}`);
  const target = lab.host('h2').container!.address;
  const answers = async () => (await ping(namespace, target, 1)).received > 0;
  await waitFor('an answer', answers, { explain: () => host.daemon.log() });
  t.regex(await namespace.ip('link show flannel0'), /state DOWN/);
});

labTest('a container that asks for a subnet that nobody has is told so at once', async (t) => {
  const { namespace } = theLab().host('h1').container!;
  const leased = theLab().hosts.map(subnetOf).join();
  const free = ['10.77.200', '10.77.201', '10.77.202'].find((start) => !leased.includes(`${start}.`))!;
  const { stderr } = await namespace.attempt(['curl', '-sS', '--max-time', '20', `http://${free}.9/`]);
  t.regex(stderr, /Network is unreachable|Couldn't connect to server/);
  t.notRegex(stderr, /timed out/i);
});

labTest('a port that another process has is waited for, and the log names that process', async (t) => {
  const lab = await labFor(t, { hosts: 1, backend: 'udp', wait: false, daemon: false });
  const host = lab.host('h1');
  const words = [process.execPath, FLANNEL_PEER, host.address, '8285'];
  const holder = await Process.start({
    namespace: host.namespace,
    words,
    logFile: `${host.directory}-holder.log`,
  });
  await waitFor('the holder', async () => (await holder.log()).includes('listening'));
  const daemon = host.makeDaemon('lodend', { kind: 'lodend' });
  await daemon.start();
  const log = () => daemon.log();
  await waitFor('the word', async () => (await log()).includes('packet path cannot be opened'), {
    explain: log,
  });
  t.regex(await log(), new RegExp(`UDP 192\\.168\\.77\\.1:8285.*obstacle="?node, process ${holder.pid}`));
  t.regex(await daemon.readiness(), / 503 /);
  await holder.stop();
  await daemon.ready();
  t.is(occurrences(await log(), 'packet path cannot be opened'), 1);
});

labTest('of two daemons on a host the second leaves the device to the first, and follows it', async (t) => {
  const lab = await labFor(t, { hosts: 1, backend: 'udp' });
  const host = lab.host('h1');
  const Backend = { Type: 'udp', Port: 9285 };
  await lab.etcd.ctl('put', '/other/config', JSON.stringify({ Network: '10.88.0.0/16', Backend }));
  const second = host.makeDaemon('second', { kind: 'lodend', etcdPrefix: '/other', healthPort: 8099 });
  await second.start();
  const log = () => second.log();
  const refused = async () => (await log()).includes('packet path cannot be opened');
  await waitFor('the word', refused, { explain: log });
  t.regex(await log(), new RegExp(`obstacle="?node, process ${host.daemon.pid}`));
  t.regex(await second.readiness(), / 503 /);
  await host.daemon.stop();
  await second.ready();
  t.is(await host.ip('route show proto 76'), '10.88.0.0/16 dev flannel0 scope link metric 1000');
  for (const daemon of [host.daemon, second]) t.notRegex(await daemon.log(), /put back/);
});

labTest('a device of another make is kept, told of, and made anew once it is removed', async (t) => {
  const lab = await labFor(t, { hosts: 1, backend: 'udp', daemon: false });
  const host = lab.host('h1');
  await host.ip('tuntap add flannel0 mode tap');
  const daemon = host.makeDaemon('lodend', { kind: 'lodend' });
  await daemon.start();
  const log = () => daemon.log();
  await waitFor('the word', async () => (await log()).includes('packet path cannot be opened'), {
    explain: log,
  });
  t.regex(await log(), /ip link del/);
  await host.ip('link del flannel0');
  await daemon.ready();
});

/** A lab of a lodend and, on the second host, a peer as flannel makes it, with the lease 10.77.200.0/24. */
async function besideFlannel(t: ExecutionContext, publicIp?: string) {
  const each = (number: number) => ({ daemon: number === 1 && ('lodend' as const) });
  const lab = await labFor(t, { hosts: 2, backend: 'udp', each });
  const [host, other] = [lab.host('h1'), lab.host('h2')];
  const address = publicIp ?? other.address;
  if (publicIp !== undefined) await other.ip(`address add ${publicIp}/24 dev eth0`);
  const peer = await Process.start({
    namespace: other.namespace,
    words: [process.execPath, FLANNEL_PEER, address, '8285', other.address],
    logFile: `${other.directory}-peer.log`,
  });
  t.teardown(() => peer.stop());
  await waitFor('the peer', async () => (await peer.log()).includes('listening'));
  await putLease(lab, '10.77.200.0-24', { PublicIP: address, PublicIPv6: null });
  const packets = async () => occurrences(await peer.log(), 'from ');
  const reaches = async () => (await ping(host.container!.namespace, '10.77.200.7', 1)).received > 0;
  return { lab, host, peer, packets, reaches };
}

labTest('a flannel peer gets bare packets with a smaller TTL, and its answers come in', async (t) => {
  const { lab, peer, packets, reaches } = await besideFlannel(t);
  await waitFor('an answer', reaches, { explain: () => peer.log() });
  // 64 at the container, one less through docker0, one less into the tunnel; 20 IP + 8 ICMP + 56.
  t.regex(await peer.log(), /from 192\.168\.77\.1:8285 length 84 ttl 62 protocol 1/);

  await putLease(lab, '10.77.200.0-24', { PublicIP: '192.168.77.99', PublicIPv6: null });
  await waitFor('no packet for it', async () => {
    const before = await packets();
    return !(await reaches()) && (await packets()) === before;
  });
});

labTest('answers from an address that is no peer’s come in with --udp-accept-any alone', async (t) => {
  const { host, packets, reaches } = await besideFlannel(t, '192.168.77.50');
  await waitFor('a packet at the peer', async () => !(await reaches()) && (await packets()) > 0);
  t.false(await reaches());
  await host.daemon.stop();
  await host.daemon.start('--udp-accept-any');
  await host.daemon.ready();
  await waitFor('an answer', reaches);
  t.pass();
});

labTest('a change of the config to another backend takes the device away, and back', async (t) => {
  const lab = await labFor(t, { hosts: 1, backend: 'udp' });
  const host = lab.host('h1');
  const setBackend = (Type: string) =>
    lab.etcd.ctl(
      'put',
      '/coreos.com/network/config',
      JSON.stringify({ Network: '10.77.0.0/16', Backend: { Type } }),
    );
  await setBackend('vxlan');
  await host.daemon.restart();
  t.notRegex(await host.ip('link'), /flannel0/);
  t.is(await host.ip('route show 10.77.0.0/16'), '');
  await setBackend('udp');
  await host.daemon.restart();
  t.notRegex(await host.ip('link'), /flannel\.1/);
  t.regex(await host.ip('route show 10.77.0.0/16'), /dev flannel0/);
});

labTest('cleanup takes the device away, with etcd and without', async (t) => {
  const lab = await labFor(t, { hosts: 1, backend: 'udp' });
  const host = lab.host('h1');
  const loden = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));
  for (const offline of [[], ['--offline']]) {
    await host.daemon.stop();
    t.regex(await host.ip('link'), /flannel0/);
    const flags = [
      `--etcd-endpoints=${lab.etcd.endpoint}`,
      `--subnet-file=${host.daemon.subnetFile}`,
      '--yes',
    ];
    const printed = await host.exec([process.execPath, loden, 'cleanup', ...flags, ...offline]);
    t.regex(printed, /^ip link del flannel0$/m);
    t.notRegex(await host.ip('link'), /flannel0/);
    t.notRegex(await host.ip('route'), /10\.77\.0\.0\/16/);
    await host.daemon.start();
    await host.daemon.ready();
  }
  t.true(subnetOf(host).startsWith('10.77.'));
});
