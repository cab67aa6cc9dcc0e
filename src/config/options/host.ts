import { ipv4Address, regularExpression, seconds, text, wholeNumber } from './kinds.js';
import type { OptionTable } from './table.js';

const flannel = true;
const repeatable = true;

/** No upper bound of meaning: etcd's own is far beyond. */
const YEAR_SECONDS = 365 * 24 * 3600;

/** What decides where this host's packets leave. */
export const UPLINK_OPTIONS = {
  iface: {
    flag: 'iface',
    kind: text('name|ip'),
    help: 'to other hosts; repeatable, first match wins',
    group: 'Uplink',
    flannel,
    repeatable,
  },
  ifaceRegex: {
    flag: 'iface-regex',
    kind: regularExpression,
    help: 'by pattern of address or name; repeatable',
    group: 'Uplink',
    flannel,
    repeatable,
  },
  ifaceCanReach: {
    flag: 'iface-can-reach',
    kind: ipv4Address,
    help: 'the interface that leads to this address',
    group: 'Uplink',
    flannel,
  },
  publicIp: {
    flag: 'public-ip',
    kind: ipv4Address,
    help: 'what to advertise to others, if behind NAT',
    group: 'Uplink',
    flannel,
  },
} as const satisfies OptionTable;

/** What this host knows of its own lease, and how long it holds it. */
export const LEASE_OPTIONS = {
  subnetFile: {
    flag: 'subnet-file',
    kind: text('file'),
    initial: '/run/flannel/subnet.env',
    help: 'result file',
    group: 'Lease',
    flannel,
  },
  subnetLeaseTtlSeconds: {
    flag: 'subnet-lease-ttl',
    // etcd grants no less than its election timeout and a half, 2 s by default.
    kind: seconds(2, YEAR_SECONDS),
    initial: 24 * 3600,
    help: 'how long a lost host keeps it (default 24h)',
    group: 'Lease',
  },
  subnetLeaseRenewMarginMinutes: {
    flag: 'subnet-lease-renew-margin',
    kind: wholeNumber('min', 1, 1439),
    initial: 60,
    help: 'renew it at least this long before its end',
    group: 'Lease',
    flannel,
  },
  peerHoldSeconds: {
    flag: 'peer-hold',
    kind: seconds(0, YEAR_SECONDS),
    initial: 60,
    help: 'keep peers whose leases went with many others (default 1m)',
    group: 'Lease',
  },
  stateDir: {
    flag: 'state-dir',
    kind: text('dir'),
    initial: '/var/lib/loden',
    help: 'to outlast a restart',
    group: 'Lease',
  },
} as const satisfies OptionTable;
