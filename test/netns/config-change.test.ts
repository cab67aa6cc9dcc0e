/** What a restart makes of a host whose network's config has changed meanwhile. */
import { ETCD_PREFIX } from '../../src/lab/etcd-service.js';
import { labFor, labTest } from './lab-test.js';

const OTHER = '/other/network';

labTest(
  'the device of an earlier VNI or backend is removed, and that of another network on the host stays',
  async (t) => {
    const lab = await labFor(t);
    const [h1] = lab.hosts;
    await lab.etcd.ctl(
      'put',
      `${OTHER}/config`,
      '{"Network":"10.88.0.0/16","Backend":{"Type":"vxlan","VNI":2}}',
    );
    const other = h1!.makeDaemon('other', { kind: 'lodend', etcdPrefix: OTHER, healthPort: 8472 });
    await other.start();
    await other.ready();
    const devices = async () =>
      [...(await h1!.ip('link')).matchAll(/flannel\.\d+/g)].map(([name]) => name).sort();
    const change = async (backend: object) => {
      const config = { Network: '10.77.0.0/16', Backend: backend };
      await lab.etcd.ctl('put', `${ETCD_PREFIX}/config`, JSON.stringify(config));
      for (const { daemon } of lab.hosts) await daemon.restart();
      t.is((await lab.untilAllReach()).length, 2);
    };
    const theirDevice = async () => (await h1!.ip('address show flannel.2')).match(/ether \S+|inet \S+/g);
    const theirs = await theirDevice();

    await change({ Type: 'vxlan', VNI: 20 });
    t.deepEqual(await devices(), ['flannel.2', 'flannel.20']);
    await change({ Type: 'vxlan', VNI: 21 });
    t.deepEqual(await devices(), ['flannel.2', 'flannel.21']);
    await change({ Type: 'host-gw' });
    t.deepEqual(await devices(), ['flannel.2']);
    t.deepEqual(await theirDevice(), theirs);
    t.false((await other.log()).includes('put back'));
    t.false((await h1!.daemon.log()).includes('in the way'));
  },
);
