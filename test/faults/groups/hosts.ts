/** A daemon ends, hangs or comes back; a host reboots; many vanish at once. */
import { promisedKey } from '../../../src/lab/peer-state.js';
import { leaseEntries, SUBNETS } from '../../netns/lease-keys.js';
import type { Fault, FaultGroup } from '../fault.js';

/** Not promised: the others rightly take a host whose lease has expired for gone. */
const ANY = Number.POSITIVE_INFINITY;

export const KILLED: Fault = {
  what: 'lodend is killed and starts again',
  befalls: 'h1',
  async strike({ h1, pass }) {
    await h1.daemon.kill();
    await pass(0.5);
    await h1.daemon.start();
    await h1.daemon.ready();
  },
};

const UPGRADED: Fault = {
  what: 'lodend is stopped and starts again',
  befalls: 'h1',
  async strike({ h1 }) {
    await h1.daemon.restart();
  },
};

export const hostsGroup: FaultGroup = {
  name: 'hosts',
  backend: 'vxlan',
  lab: { hosts: 5 },
  faults: [
    KILLED,
    UPGRADED,
    {
      what: 'lodend hangs for longer than a lease lives',
      befalls: 'h1',
      mayLose: ANY,
      async strike({ h1, outlast }) {
        h1.daemon.signal('SIGSTOP');
        await outlast();
        h1.daemon.signal('SIGCONT');
      },
    },
    {
      what: 'the leases of most hosts vanish at once, and their daemons hang for longer than a lease lives',
      async strike({ lab, outlast }) {
        const keys = (await leaseEntries(lab)).map(({ key }) => key);
        const promised = await Promise.all(lab.hosts.map(promisedKey));
        const most = lab.hosts.filter((_, index) => keys.indexOf(promised[index]!) < 3);
        for (const { daemon } of most) daemon.signal('SIGSTOP');
        // The first three, in one revision.
        await lab.etcd.ctl('del', `${SUBNETS}/${keys[0]}`, `${SUBNETS}/${keys[3]}`);
        await outlast();
        for (const { daemon } of most) daemon.signal('SIGCONT');
      },
    },
    {
      what: 'a host reboots, and its lease has expired meanwhile',
      befalls: 'h1',
      mayLose: ANY,
      async strike({ h1, outlast }) {
        const before = h1.container!.address;
        await h1.reboot();
        await outlast();
        await h1.daemon.start();
        await h1.daemon.ready();
        if ((await h1.attachContainer()).address !== before)
          throw new Error('it came back with another subnet');
      },
    },
  ],
};
