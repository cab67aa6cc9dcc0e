/** The daemon's options: flanneld's, with flanneld's defaults, and ours in the same style. */
import { DOCKER_OPTIONS } from './docker.js';
import { ETCD_OPTIONS } from './etcd.js';
import { FLANNEL_ONLY_OPTIONS } from './flannel-only.js';
import { LEASE_OPTIONS, UPLINK_OPTIONS } from './host.js';
import { bool, listenAddress, oneOf, wholeNumber } from './kinds.js';
import type { OptionTable, OptionValues } from './table.js';
import { UDP_OPTIONS } from './udp.js';

const flannel = true;
const FIREWALL_OPTIONS = {
  ipMasq: {
    flag: 'ip-masq',
    kind: bool,
    initial: false,
    help: 'masquerade traffic that leaves the network',
    group: 'Firewall',
    flannel,
  },
  ipMasqFullyRandomDisable: {
    flag: 'ip-masq-fully-random-disable',
    kind: bool,
    initial: false,
    help: 'masquerade with source ports kept if possible',
    group: 'Firewall',
    flannel,
  },
  iptablesForwardRules: {
    flag: 'iptables-forward-rules',
    kind: bool,
    initial: true,
    help: 'accept forwarded traffic (default true)',
    group: 'Firewall',
    flannel,
  },
  iptablesResyncSeconds: {
    flag: 'iptables-resync',
    kind: wholeNumber('seconds', 1, 86_400),
    initial: 5,
    help: 'time between looks at the rules',
    group: 'Firewall',
    flannel,
  },
  ipBlackholeRoute: {
    flag: 'ip-blackhole-route',
    kind: bool,
    initial: false,
    help: 'drop traffic to unused addresses of our subnet',
    group: 'Firewall',
    flannel,
  },
} as const satisfies OptionTable;

const PROCESS_OPTIONS = {
  resyncSeconds: {
    flag: 'resync',
    kind: wholeNumber('seconds', 1, 86_400),
    initial: 60,
    help: 'between full looks at the kernel',
    group: 'Process',
  },
  healthzIp: {
    flag: 'healthz-ip',
    kind: listenAddress,
    initial: '0.0.0.0',
    help: 'of /healthz, /readyz and /metrics',
    group: 'Process',
    flannel,
  },
  healthzPort: {
    flag: 'healthz-port',
    kind: wholeNumber('port', 0, 65_535),
    initial: 0,
    help: 'their port (default 0: off)',
    group: 'Process',
    flannel,
  },
  logFormat: {
    flag: 'log-format',
    kind: oneOf('format', 'text', 'json'),
    initial: 'text',
    help: 'text or json',
    group: 'Process',
  },
  logLevel: {
    flag: 'log-level',
    kind: oneOf('level', 'error', 'warn', 'info', 'debug', 'trace'),
    help: 'error, warn, info (default), debug or trace',
    group: 'Process',
  },
  verbosity: {
    flag: 'v',
    kind: wholeNumber('n', 0, 100),
    initial: 0,
    help: 'from 1 on: --log-level debug',
    group: 'Process',
    flannel,
  },
  version: {
    flag: 'version',
    kind: bool,
    initial: false,
    help: 'print the version',
    group: 'Process',
    commandLineOnly: true,
  },
} as const satisfies OptionTable;

export const DAEMON_OPTIONS = {
  ...ETCD_OPTIONS,
  ...UPLINK_OPTIONS,
  ...LEASE_OPTIONS,
  ...FIREWALL_OPTIONS,
  ...UDP_OPTIONS,
  ...DOCKER_OPTIONS,
  ...PROCESS_OPTIONS,
  ...FLANNEL_ONLY_OPTIONS,
} as const satisfies OptionTable;

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** All that the daemon was told, with defaults filled in. Times are in the units that the names say. */
export type DaemonOptions = Omit<
  OptionValues<typeof DAEMON_OPTIONS>,
  'logLevel' | 'verbosity' | 'version'
> & {
  readonly logLevel: LogLevel;
};
