import type { FaultGroup } from './fault.js';
import { accessGroup } from './groups/access.js';
import { etcdGroup } from './groups/etcd.js';
import { hostgwGroup } from './groups/hostgw.js';
import { hostsGroup } from './groups/hosts.js';
import { udpGroup } from './groups/udp.js';
import { uplinkGroup } from './groups/uplink.js';
import { wipesGroup } from './groups/wipes.js';

/** In the order of the table. */
export const FAULT_GROUPS: readonly FaultGroup[] = [
  etcdGroup,
  accessGroup,
  wipesGroup,
  hostsGroup,
  uplinkGroup,
  hostgwGroup,
  udpGroup,
];
