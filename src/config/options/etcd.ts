import { text } from './kinds.js';
import type { OptionTable, OptionValues } from './table.js';

const group = 'etcd';
const flannel = true;

/** Where the network's config and leases are: the same for the daemon and for the operator's tool. */
export const ETCD_OPTIONS = {
  etcdEndpoints: {
    flag: 'etcd-endpoints',
    kind: text('urls'),
    initial: 'http://127.0.0.1:4001,http://127.0.0.1:2379',
    // In words of its own, as a line of the help has no room for the list in one piece.
    help: 'etcd v3 servers (default http://127.0.0.1:4001, http://127.0.0.1:2379)',
    group,
    flannel,
  },
  etcdPrefix: {
    flag: 'etcd-prefix',
    kind: text('key'),
    initial: '/coreos.com/network',
    help: 'root key',
    group,
    flannel,
  },
  etcdCafile: {
    flag: 'etcd-cafile',
    kind: text('file'),
    help: 'CA that signed the servers, for TLS',
    group,
    flannel,
  },
  etcdCertfile: { flag: 'etcd-certfile', kind: text('file'), help: 'our certificate', group, flannel },
  etcdKeyfile: { flag: 'etcd-keyfile', kind: text('file'), help: "our certificate's key", group, flannel },
  etcdUsername: { flag: 'etcd-username', kind: text('name'), help: 'user', group, flannel },
  etcdPassword: {
    flag: 'etcd-password',
    kind: text('text'),
    help: 'password (the environment is the safer place)',
    group,
    flannel,
    secret: true,
  },
} as const satisfies OptionTable;

export type EtcdValues = OptionValues<typeof ETCD_OPTIONS>;

/** The values as `lease/etcd-options` takes them, which checks them together and reads the files. */
export function etcdFlags(values: EtcdValues) {
  return {
    endpoints: values.etcdEndpoints,
    prefix: values.etcdPrefix,
    caFile: values.etcdCafile ?? '',
    certFile: values.etcdCertfile ?? '',
    keyFile: values.etcdKeyfile ?? '',
    username: values.etcdUsername ?? '',
    password: values.etcdPassword ?? '',
  };
}
