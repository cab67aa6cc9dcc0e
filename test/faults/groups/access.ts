/** etcd runs and refuses us: expired tokens, roles, passwords and certificates. */
import { HOST_PASSWORD, HOST_ROLE, HOST_USER } from '../../../src/lab/etcd-cluster.js';
import { ETCD_PREFIX } from '../../../src/lab/etcd-service.js';
import type { Lab } from '../../../src/lab/lab.js';
import { waitFor } from '../../../src/lab/wait.js';
import { type FaultGroup, FLAGS } from '../fault.js';

const SUBNETS = `${ETCD_PREFIX}/subnets`;

/** Two hosts are known by their certificate, and one by a password. */
const byPassword = [`--etcd-username=${HOST_USER}`, `--etcd-password=${HOST_PASSWORD}`];

/** Why, as TLS says it. */
const REFUSED = /etcd does not accept our client certificate/;

/** New connections and watches everywhere: etcd looks at who asks when one is made, and at no renewal. */
async function restartEtcd({ cluster }: Lab): Promise<void> {
  for (const { etcd } of cluster.members) await etcd.kill();
  await cluster.start();
}

export const accessGroup: FaultGroup = {
  name: 'access',
  backend: 'vxlan',
  lab: {
    hosts: 3,
    cluster: true,
    each: (number) => (number === 2 ? { flags: [...FLAGS, ...byPassword] } : {}),
  },
  faults: [
    {
      what: 'the tokens of passwords expire',
      // They live for five seconds.
      strike: ({ pass }) => pass(6),
    },
    {
      what: 'the user is deleted, and there again after longer than a lease lives',
      async strike({ lab, outlast }) {
        await lab.etcd.ctl('user', 'delete', HOST_USER);
        await restartEtcd(lab);
        await outlast();
        await lab.etcd.ctl('user', 'add', `${HOST_USER}:${HOST_PASSWORD}`);
        await lab.etcd.ctl('user', 'grant-role', HOST_USER, HOST_ROLE);
      },
      says: /does not know user .{1,2}loden.{1,2} by this password: check --etcd-username and --etcd-password/,
    },
    {
      what: 'the role is revoked, and granted again after longer than a lease lives',
      async strike({ lab, outlast }) {
        await lab.etcd.ctl('role', 'revoke-permission', '--prefix=true', HOST_ROLE, SUBNETS);
        await restartEtcd(lab);
        await outlast();
        await lab.etcd.ctl('role', 'grant-permission', '--prefix=true', HOST_ROLE, 'readwrite', SUBNETS);
      },
      says: /does not permit user .{1,2}loden.{1,2} to do this: its role needs read on the key/,
    },
    {
      what: 'the client certificate of a host expires, and the file is replaced',
      befalls: 'h1',
      async strike({ lab, h1, pass }) {
        const { authority } = lab.cluster;
        const notAfter = new Date(Date.now() + 3000);
        await authority.issue('h1', { commonName: HOST_USER, notAfter });
        await h1.daemon.restart();
        await waitFor('the end of the certificate', () => Date.now() > notAfter.getTime() + 1000);
        const { length } = await h1.daemon.log();
        await restartEtcd(lab);
        await waitFor('h1 is refused', async () => REFUSED.test((await h1.daemon.log()).slice(length)));
        await pass(1);
        await authority.issue('h1', { commonName: HOST_USER });
      },
      says: REFUSED,
    },
  ],
};
