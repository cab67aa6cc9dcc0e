/** A host whose uplink changes under it: another address, another MTU, down and up, made anew under another name. */
import { readFile } from 'node:fs/promises';
import { Pinger } from '../../src/lab/pinger.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest, occurrences } from './lab-test.js';
import { leaseEntries, leaseOf } from './lease-keys.js';
import { losesNothing } from './traffic.js';

const ADDRESS = '192.168.77.101';
/** What a DHCP client does to eth0 when its lease is for another address now. */
const RENUMBER = [
  'sh',
  '-ec',
  `ip address flush dev eth0; ip address add ${ADDRESS}/24 dev eth0; ip route replace default via 192.168.77.254`,
];

for (const backend of ['vxlan', 'host-gw', 'udp'])
  labTest(
    `${backend}: a host that gets another address keeps its subnet, and its peers follow within a second`,
    async (t) => {
      const lab = await labFor(t, { hosts: 3, backend });
      const host = lab.host('h1');
      const before = (await leaseOf(lab, host.address))!;
      const pinger = await Pinger.start(lab.host('h2').container!.namespace, host.container!.address, 100);
      await host.exec(RENUMBER);
      const after = await waitFor('the lease', async () => leaseOf(lab, ADDRESS), { everyMs: 10 });
      await lab.untilAllReach();
      t.deepEqual([after.key, after.leaseId], [before.key, before.leaseId]);
      t.is((await leaseEntries(lab)).length, 3);
      const { lost } = await pinger.stop();
      t.log(`${lost} packets of 100 a second were lost`);
      t.true(lost <= 100, String(lost));
      t.regex(await host.daemon.readiness(), / 200 /);
      const log = await host.daemon.log();
      t.is(occurrences(log, 'the uplink has changed'), 1);
      t.regex(
        log,
        /the uplink has changed, going over to it reason=".*address 192\.168\.77\.101, was 192\.168\.77\.1/,
      );
    },
  );

labTest('an address that changes while etcd is away is told to the others once it is back', async (t) => {
  const lab = await labFor(t);
  const host = lab.host('h1');
  const before = (await leaseOf(lab, host.address))!;
  await lab.etcd.stop();
  await host.exec(RENUMBER);
  await waitFor('the next life', async () => occurrences(await host.daemon.log(), ' info  ready') === 2);
  t.regex(await host.daemon.readiness(), / 200 /);
  await lab.etcd.start();
  const after = await waitFor('the lease', async () => leaseOf(lab, ADDRESS));
  t.is(after.key, before.key);
  t.is((await lab.untilAllReach()).length, 2);
});

for (const [backend, device, mtu] of [
  ['vxlan', 'flannel.1', 1350],
  ['udp', 'flannel0', 1372],
] as const)
  labTest(
    `${backend}: another MTU of the uplink is that of device and subnet file, and no packet is lost`,
    async (t) => {
      const lab = await labFor(t, { backend });
      const host = lab.host('h1');
      await losesNothing(t, lab.hosts, async () => {
        await host.ip('link set eth0 mtu 1400');
        await waitFor('the file', async () =>
          (await readFile(host.daemon.subnetFile, 'utf8')).includes(`FLANNEL_MTU=${mtu}`),
        );
        await waitFor('the device', async () =>
          (await host.ip(`link show ${device}`)).includes(` mtu ${mtu} `),
        );
      });
    },
  );

labTest(
  'an uplink that goes away is waited for, with one line, and taken up again under another name',
  async (t) => {
    const lab = await labFor(t);
    const host = lab.host('h1');
    const says = (text: string) => waitFor(text, async () => (await host.daemon.log()).includes(text));
    const wire = lab.wire.namespace;
    await host.ip('link del eth0');
    await says('the uplink is gone');
    t.regex(await host.daemon.readiness(), / 200 /);
    await wire.ip(
      `link add h1 type veth peer name lan7 netns ${host.namespace.name}`,
      'link set h1 master wire up',
    );
    await host.namespace.ip(
      `address add ${host.address}/24 dev lan7`,
      'link set lan7 up',
      'route add default via 192.168.77.254',
    );
    await says('interface lan7, was eth0');
    t.is((await lab.untilAllReach()).length, 2);
    t.is(occurrences(await host.daemon.log(), 'the uplink is gone'), 1);
    await host.ip('link set lan7 down');
    await host.namespace.ip('link set lan7 up', 'route replace default via 192.168.77.254');
    t.is((await lab.untilAllReach()).length, 2);
  },
);
