/** Somebody or something changes a host's network under the daemon, or all of it is gone after a reboot. */
import { readLeasedSubnet } from '../../../src/lab/container.js';
import { waitFor } from '../../../src/lab/wait.js';
import { WIRE_ADDRESS } from '../../../src/lab/wire.js';
import { leaseOf } from '../../netns/lease-keys.js';
import type { Fault, FaultGroup } from '../fault.js';

/** Not promised: there is no way to the host meanwhile. */
const ANY = Number.POSITIVE_INFINITY;

export const ROUTES_FLUSHED: Fault = {
  what: "the daemon's routes are flushed",
  befalls: 'h1',
  // What is gone until the daemon has put it back: a tenth of a second.
  mayLose: 10,
  async strike({ h1 }) {
    await h1.ip('route flush proto 76');
  },
};

export const LINK_DOWN: Fault = {
  what: 'the uplink goes down and up',
  befalls: 'h1',
  mayLose: ANY,
  async strike({ h1, pass }) {
    await h1.ip('link set eth0 down');
    await pass(1);
    await h1.namespace.ip('link set eth0 up', `route add default via ${WIRE_ADDRESS}`);
  },
};

const MTU_CHANGED: Fault = {
  what: "the uplink's MTU changes",
  befalls: 'h1',
  async strike({ lab, h1 }) {
    const { mtu } = await readLeasedSubnet(h1.daemon.subnetFile);
    await h1.ip('link set eth0 mtu 1400');
    await waitFor(
      'the subnet file follows',
      async () => (await readLeasedSubnet(h1.daemon.subnetFile)).mtu === mtu - 100,
    );
    await h1.ip(`link set eth0 mtu ${lab.wire.mtu}`);
    await waitFor(
      'the subnet file follows',
      async () => (await readLeasedSubnet(h1.daemon.subnetFile)).mtu === mtu,
    );
  },
};

export const ADDRESS_CHANGED: Fault = {
  what: "the uplink's address changes",
  befalls: 'h1',
  mayLose: ANY,
  async strike({ lab, h1 }) {
    const subnet = (await leaseOf(lab, h1.address))?.key;
    await h1.changeAddress('192.168.77.101');
    const moved = async () => (await leaseOf(lab, h1.address))?.key === subnet;
    await waitFor('the lease has the new address', moved);
  },
};

const RECREATED: Fault = {
  what: 'the uplink is made anew',
  befalls: 'h1',
  mayLose: ANY,
  async strike({ h1 }) {
    await h1.replug();
  },
};

export const uplinkGroup: FaultGroup = {
  name: 'uplink',
  backend: 'vxlan',
  // No short TTL here: who begins without etcd has to know that his lease lives.
  lab: { hosts: 3, flags: [] },
  faults: [
    ROUTES_FLUSHED,
    {
      what: "the tunnel's device is deleted",
      befalls: 'h1',
      mayLose: 50,
      async strike({ h1 }) {
        await h1.ip('link delete flannel.1');
      },
    },
    LINK_DOWN,
    MTU_CHANGED,
    ADDRESS_CHANGED,
    RECREATED,
    {
      what: 'a host reboots while etcd is away',
      befalls: 'h1',
      mayLose: ANY,
      async strike({ lab, h1 }) {
        lab.etcd.pause();
        await h1.reboot();
        await h1.daemon.start();
        await h1.daemon.ready();
        await h1.attachContainer();
        // From the last known state: the others' containers are reached before etcd is.
        await lab.untilAllReach();
        lab.etcd.resume();
      },
    },
  ],
};
