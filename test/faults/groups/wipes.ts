/** What etcd holds goes away, or goes back in time. */
import { ETCD_PREFIX } from '../../../src/lab/etcd-service.js';
import { labDirectory } from '../../../src/lab/record.js';
import type { Fault, FaultGroup } from '../fault.js';

export const LEASES_DELETED: Fault = {
  what: 'all leases are deleted from etcd',
  async strike({ lab }) {
    await lab.etcd.ctl('del', '--prefix', `${ETCD_PREFIX}/subnets/`);
  },
};

export const ALL_DELETED: Fault = {
  what: 'everything is deleted from etcd, and later the config is put back',
  async strike({ lab, pass }) {
    await lab.etcd.ctl('del', '--prefix', ETCD_PREFIX);
    await pass(1);
    await lab.putConfig();
  },
};

export const wipesGroup: FaultGroup = {
  name: 'wipes',
  backend: 'vxlan',
  lab: { hosts: 5, cluster: true },
  faults: [
    LEASES_DELETED,
    ALL_DELETED,
    {
      what: 'etcd loses all its data, and users and config are put back',
      async strike({ lab, pass }) {
        await lab.etcd.restore();
        await pass(1);
        await lab.cluster.addUsers();
        await lab.putConfig();
      },
    },
    {
      what: 'etcd is restored from a backup, so that its revisions go backwards',
      async strike({ lab }) {
        const backup = `${labDirectory(lab.name)}/backup`;
        await lab.etcd.save(backup);
        for (let revision = 0; revision < 20; revision++)
          await lab.etcd.ctl('put', `${ETCD_PREFIX}/x-later`, String(revision));
        await lab.etcd.ctl('del', '--prefix', `${ETCD_PREFIX}/subnets/`);
        await lab.etcd.restore(backup);
      },
    },
  ],
};
