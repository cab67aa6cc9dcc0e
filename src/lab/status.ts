import { namespaceNames } from './namespace.js';
import { startTime } from './pid.js';
import { type MatrixEntry, pingMatrix } from './ping.js';
import { type HostRecord, labNamespace, readRecord } from './record.js';

export interface LabStatus {
  readonly name: string;
  readonly network: string;
  readonly backend: string;
  readonly etcd: string;
  readonly hosts: readonly HostStatus[];
  /** From each container to each other one. */
  readonly pings: readonly MatrixEntry[];
}

export interface HostStatus {
  readonly name: string;
  readonly address: string;
  /** `none` in a lab without daemons. */
  readonly daemon: 'running' | 'ended' | 'none';
  readonly container: { readonly name: string; readonly address: string } | undefined;
}

/** What a lab is made of and who reaches whom now. Throws LabError when there is no such lab. */
export async function labStatus(name: string): Promise<LabStatus> {
  const record = await readRecord(name);
  const backend = record.config.Backend as { Type?: string } | undefined;
  const present = await namespaceNames();
  const targets = record.hosts.flatMap(({ container }) => {
    const namespace = labNamespace(name, container?.name ?? '');
    return container !== undefined && present.includes(namespace.name) ? [{ ...container, namespace }] : [];
  });
  return {
    name,
    network: String(record.config.Network),
    backend: backend?.Type ?? 'udp',
    etcd: record.etcd.endpoint,
    hosts: record.hosts.map(hostStatus),
    pings: await pingMatrix(targets),
  };
}

function hostStatus({ name, address, daemon, container }: HostRecord): HostStatus {
  const running = daemon !== undefined && startTime(daemon.pid) === daemon.startTime;
  return { name, address, container, daemon: daemon === undefined ? 'none' : running ? 'running' : 'ended' };
}
