/** The few faults that matter for host-gw, too. */
import type { FaultGroup } from '../fault.js';
import { ETCD_STOPPED } from './etcd.js';
import { KILLED } from './hosts.js';
import { ADDRESS_CHANGED, LINK_DOWN, ROUTES_FLUSHED } from './uplink.js';
import { ALL_DELETED, LEASES_DELETED } from './wipes.js';

export const hostgwGroup: FaultGroup = {
  name: 'hostgw',
  backend: 'host-gw',
  lab: { hosts: 3 },
  faults: [ETCD_STOPPED, LEASES_DELETED, ALL_DELETED, KILLED, ROUTES_FLUSHED, LINK_DOWN, ADDRESS_CHANGED],
};
