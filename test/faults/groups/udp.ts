/** The few faults that matter for udp, whose packets pass through the daemon's process. */
import type { Fault, FaultGroup } from '../fault.js';
import { ETCD_STOPPED } from './etcd.js';
import { ADDRESS_CHANGED, LINK_DOWN } from './uplink.js';
import { ALL_DELETED, LEASES_DELETED } from './wipes.js';

/** Pings at 100 a second: twice the half second that is promised, as other tests have the processors, too. */
const A_SECOND = 100;

const KILLED_AT_ONCE_AGAIN: Fault = {
  what: 'lodend is killed and starts again at once',
  befalls: 'h1',
  mayLose: A_SECOND,
  async strike({ h1 }) {
    await h1.daemon.kill();
    await h1.daemon.start();
    await h1.daemon.ready();
  },
};

export const udpGroup: FaultGroup = {
  name: 'udp',
  backend: 'udp',
  lab: { hosts: 3 },
  faults: [ETCD_STOPPED, LEASES_DELETED, ALL_DELETED, KILLED_AT_ONCE_AGAIN, LINK_DOWN, ADDRESS_CHANGED],
};
