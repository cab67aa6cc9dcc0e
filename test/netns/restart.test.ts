/** lodend ends and comes back under a thousand pings a second, and no packet is lost. */
import { waitFor } from '../../src/lab/wait.js';
import { labTest, sharedLab } from './lab-test.js';
import { leaseEntries } from './lease-keys.js';
import { picture } from './picture.js';
import { losesNothing } from './traffic.js';

const labs = { vxlan: sharedLab(), 'host-gw': sharedLab({ backend: 'host-gw' }) };

for (const backend of ['vxlan', 'host-gw'] as const) {
  labTest(
    `${backend}: SIGTERM ends lodend within a second, and leaves kernel and lease as they were`,
    async (t) => {
      const lab = labs[backend]();
      const { daemon, namespace } = lab.host('h1');
      const before = [await picture(namespace), await leaseEntries(lab)];
      const begun = performance.now();
      t.deepEqual(await daemon.stop(), { exitCode: 0, signal: null });
      t.true(performance.now() - begun < 1_000);
      t.deepEqual([await picture(namespace), await leaseEntries(lab)], before);
      await daemon.start();
      await daemon.ready();
    },
  );

  labTest(`${backend}: a restart loses no packet and changes nothing in kernel and etcd`, async (t) => {
    const lab = labs[backend]();
    const { daemon, namespace } = lab.host('h1');
    const before = [await picture(namespace), await leaseEntries(lab)];
    await losesNothing(t, lab.hosts, () => daemon.restart());
    t.deepEqual([await picture(namespace), await leaseEntries(lab)], before);
  });

  labTest(`${backend}: a lodend that was killed comes back without loss or change`, async (t) => {
    const lab = labs[backend]();
    const { daemon, namespace } = lab.host('h1');
    const before = [await picture(namespace), await leaseEntries(lab)];
    await losesNothing(t, lab.hosts, async () => {
      t.is((await daemon.kill())?.signal, 'SIGKILL');
      await daemon.start();
      await daemon.ready();
    });
    t.deepEqual([await picture(namespace), await leaseEntries(lab)], before);
  });
}

labTest('SIGTERM ends a lodend within a second that waits for etcd', async (t) => {
  const lab = labs.vxlan();
  const daemon = lab.host('h1').makeDaemon('waiting', {
    kind: 'lodend',
    etcdEndpoint: 'http://192.168.77.99:2379',
    healthPort: 8472,
  });
  await daemon.start();
  await waitFor('waiting', async () => (await daemon.log()).includes('waiting for etcd'));
  const begun = performance.now();
  t.deepEqual(await daemon.stop(), { exitCode: 0, signal: null });
  t.true(performance.now() - begun < 1_000);
});
