/** Flags of flannel's that mean nothing here, and are accepted so that a unit file need not be edited. */
import { bool, type Kind, text } from './kinds.js';
import type { OptionSpec, OptionTable } from './table.js';

/** An option that has no effect, and why. */
export interface IgnoredOption extends OptionSpec {
  readonly ignored: string;
}

const anyText = text('text');
const kubernetes = 'it belongs to the Kubernetes mode, which loden does not have';
const retired = 'flannel retired it too';
const klog = 'loden has one level for all of its log: --log-level';

function ignored(flag: string, because: string, kind: Kind<unknown> = anyText): IgnoredOption {
  return { flag, kind, ignored: because, group: '', help: '', flannel: true };
}

export const FLANNEL_ONLY_OPTIONS = {
  publicIpv6: ignored('public-ipv6', 'IPv6 networks are not supported yet'),
  vmodule: ignored('vmodule', klog),
  logBacktraceAt: ignored('log_backtrace_at', klog),
  kubeSubnetMgr: {
    ...ignored('kube-subnet-mgr', kubernetes, bool),
    refuse: (value) =>
      value === true ? 'loden keeps leases in etcd only; there is no Kubernetes mode' : undefined,
  },
  kubeApiUrl: ignored('kube-api-url', kubernetes),
  kubeconfigFile: ignored('kubeconfig-file', kubernetes),
  kubeAnnotationPrefix: ignored('kube-annotation-prefix', kubernetes),
  netConfigPath: ignored('net-config-path', kubernetes),
  setNodeNetworkUnavailable: ignored('set-node-network-unavailable', kubernetes, bool),
  useMultiClusterCidr: ignored('use-multi-cluster-cidr', kubernetes, bool),
  remote: ignored('remote', retired),
  remoteKeyfile: ignored('remote-keyfile', retired),
  remoteCertfile: ignored('remote-certfile', retired),
  remoteCafile: ignored('remote-cafile', retired),
  networks: ignored('networks', retired),
  listen: ignored('listen', retired),
  subnetDir: ignored('subnet-dir', retired),
  charonExecutablePath: ignored('charon-executable-path', retired),
  charonViciUri: ignored('charon-vici-uri', retired),
} as const satisfies OptionTable;
