/** Two networks on the same hosts: two daemons in each, with a prefix, pool and files of their own. */
import type { Daemon } from '../../src/lab/daemon.js';
import { ETCD_PREFIX } from '../../src/lab/etcd-service.js';
import type { LabHost } from '../../src/lab/host.js';
import type { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest } from './lab-test.js';
import { leaseEntries } from './lease-keys.js';
import { picture } from './picture.js';

const OTHER = '/other/network';

/** The daemons of a second network on all hosts of a lab, ready. */
async function addNetwork(lab: Lab, config: object): Promise<Daemon[]> {
  await lab.etcd.ctl('put', `${OTHER}/config`, JSON.stringify(config));
  const daemons = lab.hosts.map((host) =>
    host.makeDaemon('other', { kind: 'lodend', etcdPrefix: OTHER, healthPort: 8472 }),
  );
  for (const daemon of daemons) await daemon.start();
  for (const daemon of daemons) await daemon.ready();
  return daemons;
}

async function routesOf(host: LabHost, pool: string): Promise<string[]> {
  return (await host.ip('route'))
    .split('\n')
    .filter((line) => line.startsWith(pool) && line.includes('proto 76'));
}

for (const [backend, other] of [
  ['vxlan', { Type: 'vxlan', VNI: 2 }],
  ['host-gw', { Type: 'host-gw' }],
  ['vxlan', { Type: 'host-gw' }],
] as const) {
  labTest(
    `${backend} and ${other.Type} beside each other: neither touches the other, through restarts of both`,
    async (t) => {
      const lab = await labFor(t, { backend });
      const others = await addNetwork(lab, { Network: '10.88.0.0/16', Backend: other });
      const [h1] = lab.hosts;
      const settled = async () =>
        (await routesOf(h1!, '10.77.')).length === 1 && (await routesOf(h1!, '10.88.')).length === 1;
      await waitFor('a route in each', settled);
      t.deepEqual((await leaseEntries(lab, `${OTHER}/subnets`)).length, 2);
      t.deepEqual((await leaseEntries(lab, `${ETCD_PREFIX}/subnets`)).length, 2);
      const before = await picture(h1!.namespace);
      for (const daemon of [h1!.daemon, others[0]!]) {
        await daemon.restart();
        t.is(await picture(h1!.namespace), before);
      }
      await h1!.ip(`route del ${(await routesOf(h1!, '10.88.'))[0]!.replace(/ onlink *$/, '')}`);
      await waitFor('the deleted route', settled);
      t.false((await h1!.daemon.log()).includes('put back'));
      t.true((await others[0]!.log()).includes('put back'));
      t.is((await lab.untilAllReach()).length, 2);
    },
  );
}
