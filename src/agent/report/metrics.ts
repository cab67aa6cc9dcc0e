/**
 * What the daemon tells Prometheus of itself: docs/operate.md has the table. Names say their unit, counters end in
 * `_total`, and a moment is a time since 1970, worked out from how long ago it was, as the wall clock may have been set.
 */
import { PACKET_COUNTERS, type PacketCounterName, type PacketCounters } from '../../backend/packet-path.js';
import { REFUSAL_KINDS } from '../../lease/judge.js';
import { formatPrefix, type Prefix } from '../../net/prefix.js';
import type { Refused } from '../peers/peers.js';
import type { ReconcilerStatus } from '../reconcile/reconciler.js';
import type { Metric } from './exposition.js';

export interface MetricsSample {
  readonly version: string;
  readonly ready: boolean;
  readonly process: {
    readonly startedSecondsAgo: number;
    readonly residentBytes: number;
    readonly cpuSeconds: number;
  };
  /** Undefined until there is a lease. */
  readonly network: NetworkSample | undefined;
}

export interface NetworkSample {
  readonly backend: string;
  readonly subnet: Prefix;
  readonly publicIp: string;
  /** False while etcd is out of reach, or refuses us. */
  readonly etcdAnswers: boolean;
  readonly lease: {
    readonly renewedSecondsAgo: number;
    /** Undefined for a reservation. */
    readonly ttlSeconds: number | undefined;
  };
  readonly peers: {
    readonly accepted: number;
    readonly refused: readonly Refused[];
    /** Of those accepted, the ones whose lease is gone. */
    readonly held: number;
    readonly heldSinceStart: number;
  };
  readonly skippedKeys: number;
  readonly kernel: ReconcilerStatus;
  /** Undefined where the kernel carries the packets, and while no path is open. */
  readonly packetPath: PacketCounters | undefined;
}

export function metricsOf(sample: MetricsSample, nowSeconds: number): readonly Metric[] {
  const { network } = sample;
  return [...ofProcess(sample, nowSeconds), ...(network ? ofNetwork(network, nowSeconds) : [])];
}

function ofProcess({ version, ready, process }: MetricsSample, now: number): Metric[] {
  const { startedSecondsAgo, residentBytes, cpuSeconds } = process;
  return [
    labelled('loden_build_info', 'Always 1; the version is the label', { version }),
    gauge('loden_ready', 'Whether /readyz answers 200', ready),
    gauge('process_start_time_seconds', 'When the process started, since 1970', now - startedSecondsAgo),
    gauge('process_resident_memory_bytes', 'Memory of the process', residentBytes),
    counter('process_cpu_seconds_total', 'Processor time, of user and system', cpuSeconds),
  ];
}

function ofNetwork(network: NetworkSample, now: number): Metric[] {
  const { backend, subnet, publicIp, etcdAnswers, kernel } = network;
  const own = { subnet: formatPrefix(subnet), public_ip: publicIp, backend };
  return [
    labelled('loden_subnet_info', 'Always 1; what this host leases is in the labels', own),
    gauge('loden_etcd_up', 'Whether etcd answers, and serves us', etcdAnswers),
    ...ofLease(network, now),
    ...ofPeers(network),
    gauge('loden_kernel_objects_desired', 'Objects that the kernel should hold', kernel.desired),
    gauge('loden_kernel_objects_failing', 'Objects that the kernel refuses', kernel.failing.length),
    gauge('loden_kernel_clashes', 'Things not ours that are in the way', kernel.clashes.length),
    counter('loden_kernel_repairs_total', 'Changes by others that were undone', kernel.repaired),
    ...ofPacketPath(network.packetPath),
  ];
}

function ofLease({ lease: { renewedSecondsAgo, ttlSeconds } }: NetworkSample, now: number): Metric[] {
  const renewed = now - renewedSecondsAgo;
  const last = 'When our lease was last renewed, since 1970; a reservation is not renewed';
  const end = 'When our lease ends unless it is renewed, since 1970';
  const known = ttlSeconds !== undefined;
  return [
    several('loden_lease_renewal_timestamp_seconds', last, known ? [[{}, renewed]] : []),
    several('loden_lease_expiry_timestamp_seconds', end, known ? [[{}, renewed + ttlSeconds]] : []),
  ];
}

function ofPeers({
  peers: { accepted, refused, held, heldSinceStart },
  skippedKeys,
}: NetworkSample): Metric[] {
  const count = (kind: string) => refused.filter((each) => each.kind === kind).length;
  const named = refused.map(({ key, publicIp, kind, reason }) => {
    const subnet = key.replace(/-(?=\d+(&|$))/g, '/');
    return [{ subnet, public_ip: publicIp, kind, reason }, 1] as const;
  });
  return [
    gauge('loden_peers_accepted', 'Peers that the kernel is programmed for', accepted),
    several(
      'loden_peers_refused',
      'Leases of peers that are not used, by what is wrong with them',
      REFUSAL_KINDS.map((kind) => [{ kind }, count(kind)]),
    ),
    several('loden_refused_lease_info', 'Always 1; which lease is refused, and why', named),
    gauge('loden_peers_held', 'Peers kept though their leases are missing from etcd', held),
    counter('loden_peers_held_total', 'Peers that were ever kept so', heldSinceStart),
    gauge('loden_lease_keys_skipped', 'Keys among the leases that are none', skippedKeys),
  ];
}

function ofPacketPath(counters: PacketCounters | undefined): Metric[] {
  if (counters === undefined) return [];
  return Object.entries(PACKET_COUNTERS).map(([name, help]) =>
    counter(`loden_path_${name}_total`, `udp: ${help}`, counters[name as PacketCounterName]),
  );
}

function several(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, type: 'gauge', help, samples };
}

function gauge(name: string, help: string, value: number | boolean): Metric {
  return several(name, help, [[{}, Number(value)]]);
}

function counter(name: string, help: string, value: number | bigint): Metric {
  return { name, type: 'counter', help, samples: [[{}, value]] };
}

function labelled(name: string, help: string, labels: Readonly<Record<string, string>>): Metric {
  return several(name, help, [[labels, 1]]);
}
