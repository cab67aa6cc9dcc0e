/** What lodend makes of what it finds in the kernel when it starts: flannel's is taken over, what is stale goes. */
import { waitFor } from '../../src/lab/wait.js';
import { flannelLease, flannelSubnet, leaveAsFlannel, vtepMac } from './flannel-leftovers.js';
import { labFor, labTest, sharedLab } from './lab-test.js';
import { deleteLease, leaseOf, putLease, vxlanLease } from './lease-keys.js';
import { picture, unnumbered } from './picture.js';
import { losesNothing } from './traffic.js';

for (const backend of ['vxlan', 'host-gw'] as const) {
  labTest(
    `${backend}: hosts are taken over from flanneld one after the other, and no packet is lost`,
    async (t) => {
      const lab = await labFor(t, { hosts: 2, daemon: false, backend });
      const daemons = await leaveAsFlannel(lab, backend);
      const [h1] = lab.hosts;
      t.regex(await h1!.ip('route'), /10\.77\.2\.0\/24 via \S+ dev \S+( onlink)? *$/m);
      await losesNothing(t, lab.hosts, async () => {
        for (const daemon of daemons) {
          await daemon.start();
          await daemon.ready();
        }
      });
      for (const [index, host] of lab.hosts.entries()) {
        const { key, value } = (await leaseOf(lab, host.address))!;
        t.is(key, flannelSubnet(host.number).replace('/', '-'));
        const flannels = JSON.stringify(flannelLease(backend, host)).replace(/}$/, '');
        t.true(value.startsWith(`${flannels},"LodenIdentity":"`), value);
        t.regex(value, /"LodenIdentity":"[0-9a-f]{32}","LodenBoot":"[0-9a-f]{16}"}$/);
        t.regex(await daemons[index]!.log(), /found lease/);
        const peer = lab.hosts.find((other) => other !== host)!;
        const routes = await host.ip(`route show ${flannelSubnet(peer.number)}`);
        t.is(routes.split('\n').length, 1, routes);
        t.regex(
          routes,
          backend === 'vxlan' ? /dev flannel\.1 proto 76 metric \d+ onlink/ : /dev eth0 proto 76 metric/,
        );
        if (backend === 'vxlan')
          t.regex(await host.ip('link show flannel.1'), new RegExp(vtepMac(host.number)));
      }
      t.is((await lab.untilAllReach()).length, 2);
    },
  );
}

const theLab = sharedLab();

labTest('what was left of peers that vanished meanwhile is removed at start', async (t) => {
  const lab = theLab();
  const host = lab.host('h1');
  const before = unnumbered(await picture(host.namespace));
  await putLease(lab, '10.77.201.0-24', vxlanLease('192.168.77.201', '02:00:00:00:02:01'));
  await waitFor('the peer', async () => (await picture(host.namespace)).includes('02:00:00:00:02:01'));
  await host.daemon.stop();
  await deleteLease(lab, '10.77.201.0-24');
  await host.exec([
    'sh',
    '-ec',
    `ip route add 10.77.202.0/24 via 192.168.77.254 proto 76
     ip route add 10.77.203.0/24 via 10.77.203.0 dev flannel.1 onlink
     ip neighbour add 10.77.202.0 lladdr 02:00:00:00:02:02 dev flannel.1 nud permanent
     bridge fdb add 02:00:00:00:02:02 dev flannel.1 dst 192.168.77.202 self permanent
     ip address add 10.77.202.0/32 dev flannel.1`,
  ]);
  await host.daemon.start();
  await host.daemon.ready();
  t.deepEqual(unnumbered(await picture(host.namespace)), before);
});

labTest('a device that cannot stay is made anew, with its address and all peers', async (t) => {
  const lab = theLab();
  const host = lab.host('h1');
  const before = unnumbered(await picture(host.namespace));
  await host.daemon.stop();
  await host.exec([
    'sh',
    '-ec',
    `ip link del flannel.1
     ip link add flannel.1 type vxlan id 7 dev eth0 dstport 4789
     ip link set flannel.1 up`,
  ]);
  await host.daemon.start();
  await host.daemon.ready();
  t.deepEqual(unnumbered(await picture(host.namespace)), before);
  t.is((await lab.untilAllReach()).length, 2);
});

labTest('a kept device keeps its MAC, and the lease tells it to the others', async (t) => {
  const lab = theLab();
  const [h1, h2] = [lab.host('h1'), lab.host('h2')];
  await h1.daemon.stop();
  await h1.ip('link set flannel.1 address c6:d2:32:6f:8f:44');
  await h1.daemon.start();
  await h1.daemon.ready();
  t.regex(await h1.ip('link show flannel.1'), /c6:d2:32:6f:8f:44/);
  t.regex((await leaseOf(lab, h1.address))!.value, /"VtepMAC":"c6:d2:32:6f:8f:44"/);
  await waitFor('the new MAC at the other host', async () =>
    (await h2.exec(['bridge', 'fdb', 'show', 'dev', 'flannel.1'])).includes('c6:d2:32:6f:8f:44'),
  );
  t.is((await h2.exec(['bridge', 'fdb', 'show', 'dev', 'flannel.1'])).split('\n').length, 1);
  t.is((await lab.untilAllReach()).length, 2);
});

labTest('a device of another kind under our name is left alone, and said to be in the way', async (t) => {
  const lab = theLab();
  const host = lab.host('h1');
  await host.daemon.stop();
  await host.namespace.ip('link del flannel.1', 'link add flannel.1 type bridge', 'link set flannel.1 up');
  const before = unnumbered(await picture(host.namespace));
  await host.daemon.start();
  await waitFor('word of it', async () =>
    (await host.daemon.log()).includes('something not ours is in the way'),
  );
  t.regex(await host.daemon.log(), /flannel\.1 is a device of another kind; rename or remove it/);
  t.deepEqual(unnumbered(await picture(host.namespace)), before);
  t.regex(await host.daemon.readiness(), / 503 .*programming the kernel/s);
  await host.ip('link del flannel.1');
  await host.daemon.ready();
  await waitFor('the device', async () => (await picture(host.namespace)).includes('vxlan id 1 '));
  t.is((await lab.untilAllReach()).length, 2);
});

labTest('a host whose device cannot be made says why and is not ready, and is once it can be', async (t) => {
  const lab = theLab();
  const host = lab.host('h1');
  await host.daemon.stop();
  await host.namespace.ip('link del flannel.1', 'link add other type vxlan id 1 dev eth0 dstport 8472');
  const logBefore = (await host.daemon.log()).length;
  const told = async () => (await host.daemon.log()).slice(logBefore);
  await host.daemon.start();
  await waitFor('word of it', async () => (await told()).includes('kernel refused a change'));
  t.regex(await told(), /cannot add link flannel\.1 .*EEXIST/);
  t.regex(await host.daemon.readiness(), / 503 /);
  await host.ip('link del other');
  await host.daemon.ready();
  t.notRegex(await told(), /put back/);
  t.is((await told()).match(/kernel refused a change/g)?.length, 1);
  t.is((await lab.untilAllReach()).length, 2);
});
