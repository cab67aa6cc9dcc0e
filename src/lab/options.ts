import type { JsonValue } from '../json.js';
import type { EtcdOptions } from './etcd.js';
import type { HostOptions } from './host.js';

/** Addresses of hosts on the wire are numbered from 1 and end before those of etcd's members and the wire's own. */
export const MOST_HOSTS = 250;

/** Backends that carry packets, the usual one first. */
export const LAB_BACKENDS: readonly string[] = ['vxlan', 'host-gw', 'udp'];

export interface LabOptions extends HostOptions {
  /** Unique when absent, and known to `sweep`. */
  readonly name?: string;
  /** How many; 2 when absent. More may be added later. */
  readonly hosts?: number;
  /** `vxlan` when absent. */
  readonly backend?: string;
  /** The pool; 10.77.0.0/16 when absent. */
  readonly network?: string;
  /** Fields of the network config, over those made of `network` and `backend`. */
  readonly config?: Readonly<Record<string, JsonValue>>;
  /** What is different for one host, by its number from 1. */
  readonly each?: (number: number) => HostOptions;
  /** Of the wire; 1500 when absent. */
  readonly mtu?: number;
  /** Through the wire's address, so that the daemon finds its uplink; true when absent. */
  readonly defaultRoute?: boolean;
  readonly etcd?: Pick<EtcdOptions, 'flags' | 'clientFlags' | 'scheme'>;
  /** Three etcd members with TLS and users in place of one without. */
  readonly cluster?: boolean;
  readonly signal?: AbortSignal;
  /** Told of each step before it is done. */
  readonly onStep?: (step: string) => void;
}

/** flannel's network config, as it goes into etcd. */
export function networkConfig(options: LabOptions): Readonly<Record<string, JsonValue>> {
  const { network = '10.77.0.0/16', backend = 'vxlan', config } = options;
  return { Network: network, Backend: { Type: backend }, ...config };
}
