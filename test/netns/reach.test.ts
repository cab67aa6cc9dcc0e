/** Containers of several hosts reach each other, and hosts come and go. */
import type { Lab } from '../../src/lab/lab.js';
import { ping } from '../../src/lab/ping.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest, sharedLab, subnetOf } from './lab-test.js';
import { leaseEntries } from './lease-keys.js';
import { picture } from './picture.js';
import { copiesWhole } from './tcp-copy.js';

const labs = {
  vxlan: sharedLab({ hosts: 3 }),
  'host-gw': sharedLab({ hosts: 3, backend: 'host-gw' }),
  udp: sharedLab({ hosts: 3, backend: 'udp' }),
};
const MTU = { vxlan: 1450, 'host-gw': 1500, udp: 1472 };

/** From here on containers take packets only if they come from a container's own address. */
async function acceptContainersOnly(lab: Lab): Promise<void> {
  const addresses = lab.targets().map(({ address }) => address);
  for (const { namespace } of lab.targets()) {
    await namespace.exec(['nft', '-f', '-'], {
      input: `
        table ip loden_test {
          chain input {
            type filter hook input priority 0; policy drop;
            ip saddr { ${addresses.join(', ')} } accept
          }
        }
      `,
    });
  }
}

async function acceptAll(lab: Lab): Promise<void> {
  for (const { namespace } of lab.targets()) await namespace.exec(['nft', 'delete table ip loden_test']);
}

for (const backend of ['vxlan', 'host-gw', 'udp'] as const) {
  labTest(`${backend}: containers on three hosts reach each other, under their own addresses`, async (t) => {
    const lab = labs[backend]();
    await acceptContainersOnly(lab);
    t.is((await lab.untilAllReach()).length, 6);
    await acceptAll(lab);
  });

  labTest(`${backend}: a host reaches the containers of another`, async (t) => {
    const [h1, h2] = [labs[backend]().host('h1'), labs[backend]().host('h2')];
    t.is((await ping(h1.namespace, h2.container!.address, 1)).received, 1);
  });

  labTest(
    `${backend}: a packet as large as subnet.env allows gets through whole, a larger one does not`,
    async (t) => {
      const [h1, h2] = [labs[backend]().host('h1'), labs[backend]().host('h2')];
      const mtu = MTU[backend];
      t.regex(await h1.exec(['cat', h1.daemon.subnetFile]), new RegExp(`^FLANNEL_MTU=${mtu}$`, 'm'));
      // 20 IP + 8 ICMP
      const whole = (size: number) =>
        h1.container!.namespace.attempt([
          ...['ping', '-c', '1', '-W', '1', '-M', 'do', '-s', `${size - 28}`],
          h2.container!.address,
        ]);
      t.is((await whole(mtu)).exitCode, 0);
      t.not((await whole(mtu + 1)).exitCode, 0);
    },
  );

  labTest(`${backend}: a fresh host joins a running network`, async (t) => {
    const lab = labs[backend]();
    await lab.addHost();
    t.is((await lab.untilAllReach(2_000)).length, 12);
  });

  labTest(`${backend}: a TCP stream arrives as it was sent, in both directions`, async (t) => {
    const [h1, h2] = [labs[backend]().host('h1'), labs[backend]().host('h2')];
    t.true(await copiesWhole(h1.container!, h2.container!));
    t.true(await copiesWhole(h2.container!, h1.container!));
  });
}

for (const backend of ['vxlan', 'host-gw'] as const) {
  labTest(`${backend}: what is released is gone from every kernel, and nothing else`, async (t) => {
    const lab = labs[backend]();
    const [h1, h2, h4] = [lab.host('h1'), lab.host('h2'), lab.host('h4')];
    const subnet = subnetOf(h4);
    const { value } = (await leaseEntries(lab)).find(({ key }) => key === subnet.replace('/', '-'))!;
    const traces = [subnet, h4.address, JSON.parse(value).BackendData?.VtepMAC ?? subnet];
    const lines = async () => (await picture(h1.namespace)).split('\n');
    const before = await lines();
    t.true(traces.every((trace) => before.some((line) => line.includes(trace))));
    await lab.removeHost(h4);
    await lab.loden('leases', 'release', subnet, '--yes');
    const rest = before.filter((line) => !traces.some((trace) => line.includes(trace)));
    await waitFor('no trace of it', async () => {
      const now = await Promise.all([lines(), picture(h2.namespace)]);
      return !now.flat().some((line) => traces.some((trace) => line.includes(trace)));
    });
    t.deepEqual(await lines(), rest);
    t.is((await lab.untilAllReach()).length, 6);
  });
}

labTest('alloc: leases a subnet, writes subnet.env and leaves the kernel alone', async (t) => {
  const lab = await labFor(t, { hosts: 2, backend: 'alloc', daemon: false });
  const pictures = () => Promise.all(lab.hosts.map(({ namespace }) => picture(namespace)));
  const before = await pictures();
  const daemons = lab.hosts.map((host) => host.makeDaemon('lodend', { kind: 'lodend' }));
  for (const daemon of daemons) await daemon.start();
  for (const daemon of daemons) await daemon.ready();
  t.deepEqual(await pictures(), before);
  t.deepEqual(
    (await leaseEntries(lab)).map(({ value }) => JSON.parse(value).PublicIP).sort(),
    lab.hosts.map(({ address }) => address),
  );
  const file = await lab.host('h1').exec(['cat', daemons[0]!.subnetFile]);
  t.regex(
    file,
    /^FLANNEL_NETWORK=10\.77\.0\.0\/16\nFLANNEL_SUBNET=10\.77\.\d+\.1\/24\nFLANNEL_MTU=1500\nFLANNEL_IPMASQ=false$/,
  );
});
