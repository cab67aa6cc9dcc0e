import { Etcd } from './etcd.js';
import { EtcdCluster } from './etcd-cluster.js';
import { ETCD_PREFIX, type EtcdService } from './etcd-service.js';
import type { LabOptions } from './options.js';
import { labDirectory, labNamespace } from './record.js';
import { WIRE_ADDRESS, type Wire } from './wire.js';

/** A lab's etcd: one process on the wire, or three members plugged into it. */
export function startEtcd(lab: string, wire: Wire, options: LabOptions): Promise<EtcdService> {
  const directory = `${labDirectory(lab)}/etcd`;
  const { signal } = options;
  if (options.cluster) {
    const namespaceFor = (name: string) => labNamespace(lab, name);
    return EtcdCluster.start({ directory, wire, namespaceFor, prefix: ETCD_PREFIX, signal });
  }
  const place = { directory, namespace: wire.namespace, address: WIRE_ADDRESS, port: 2379 };
  return Etcd.start({ ...options.etcd, ...place, signal });
}
