import test from 'ava';
import fc from 'fast-check';
import type { Refused } from '../../../src/agent/peers/peers.js';
import { exposition, type Metric } from '../../../src/agent/report/exposition.js';
import { type MetricsSample, metricsOf, type NetworkSample } from '../../../src/agent/report/metrics.js';
import { PACKET_COUNTERS, type PacketCounters } from '../../../src/backend/packet-path.js';
import { parsePrefix } from '../../../src/net/prefix.js';
import { section } from '../../docs/blocks.js';

const REFUSED: Refused = {
  key: '10.5.9.128-25',
  publicIp: '192.0.2.9',
  kind: 'overlap',
  reason: 'overlaps 10.5.9.0/24 of 192.0.2.2, which is older',
};
const COUNTERS = Object.fromEntries(
  Object.keys(PACKET_COUNTERS).map((name, n) => [name, BigInt(n) + 2n ** 60n]),
) as PacketCounters;

const network: NetworkSample = {
  backend: 'udp',
  subnet: parsePrefix('10.5.1.0/24')!,
  publicIp: '192.0.2.1',
  etcdAnswers: true,
  lease: { renewedSecondsAgo: 100, ttlSeconds: 86_400 },
  peers: { accepted: 7, refused: [REFUSED], held: 2, heldSinceStart: 5 },
  skippedKeys: 3,
  kernel: { desired: 21, repaired: 4, failing: ['no'], clashes: [] },
  packetPath: COUNTERS,
};
const sample: MetricsSample = {
  version: '1.2.3',
  ready: true,
  process: { startedSecondsAgo: 60, residentBytes: 5e7, cpuSeconds: 1.5 },
  network,
};

/** `name{labels} value` by name. */
function lines(of: MetricsSample): readonly string[] {
  return exposition(metricsOf(of, 1_700_000_000))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

test('all that is known is told', (t) => {
  const told = lines(sample);
  for (const line of [
    'loden_build_info{version="1.2.3"} 1',
    'loden_ready 1',
    'process_start_time_seconds 1699999940',
    'loden_subnet_info{subnet="10.5.1.0/24",public_ip="192.0.2.1",backend="udp"} 1',
    'loden_etcd_up 1',
    'loden_lease_renewal_timestamp_seconds 1699999900',
    'loden_lease_expiry_timestamp_seconds 1700086300',
    'loden_peers_accepted 7',
    'loden_peers_refused{kind="overlap"} 1',
    'loden_peers_refused{kind="this-host"} 0',
    'loden_refused_lease_info{subnet="10.5.9.128/25",public_ip="192.0.2.9",kind="overlap",' +
      'reason="overlaps 10.5.9.0/24 of 192.0.2.2, which is older"} 1',
    'loden_peers_held 2',
    'loden_peers_held_total 5',
    'loden_lease_keys_skipped 3',
    'loden_kernel_objects_desired 21',
    'loden_kernel_objects_failing 1',
    'loden_kernel_clashes 0',
    'loden_kernel_repairs_total 4',
    'loden_path_sent_packets_total 1152921504606846976',
  ])
    t.true(told.includes(line), line);
});

test('without a lease there is the process, without a path no path, and a reservation has no end', (t) => {
  const early = lines({ ...sample, ready: false, network: undefined });
  t.is(early.length, 5);
  t.true(early.includes('loden_ready 0'));
  const reserved: NetworkSample = {
    ...network,
    lease: { renewedSecondsAgo: 9, ttlSeconds: undefined },
    packetPath: undefined,
  };
  t.deepEqual(
    lines({ ...sample, network: reserved }).filter((line) => /_path_|_lease_(renewal|expiry)/.test(line)),
    [],
  );
});

test('of ten thousand refused leases all are counted, and each is named', (t) => {
  const refused = Array.from({ length: 10_000 }, () => REFUSED);
  const told = lines({ ...sample, network: { ...network, peers: { ...network.peers, refused } } });
  t.true(told.includes('loden_peers_refused{kind="overlap"} 10000'));
  t.is(told.filter((line) => line.startsWith('loden_refused_lease_info')).length, 10_000);
});

test('names follow the conventions, and docs/operate.md has a row for each with its type', (t) => {
  const metrics = metricsOf(sample, 1_700_000_000);
  const rows = [...section('docs/operate.md', 'Metrics').matchAll(/^\| `(\S+)` \| (\w+) \|/gm)];
  const path = /^loden_path_\w+_total$/;
  const named = (metric: Metric) => `${metric.name} ${metric.type}`;
  t.deepEqual(
    rows.map(([, name, type]) => `${name} ${type}`).filter((row) => !row.startsWith('loden_path_')),
    metrics.filter(({ name }) => !path.test(name)).map(named),
  );
  for (const { name, type, help, samples } of metrics) {
    t.regex(name, /^(loden|process)_[a-z0-9_]+$/);
    t.is(name.endsWith('_total'), type === 'counter', name);
    t.regex(help, /^[A-Zu].*[^.]$/);
    for (const [, value] of samples) t.true(Number.isFinite(Number(value)), name);
  }
  t.is(new Set(metrics.map(({ name }) => name)).size, metrics.length);
});

test('whatever a label holds, a line stays one line and is read back', (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (reason, help) => {
      const metric: Metric = { name: 'x', type: 'gauge', help, samples: [[{ reason }, 1]] };
      const [first, second, third, ...rest] = exposition([metric]).split('\n');
      t.true(first!.startsWith('# HELP x '));
      t.is(second, '# TYPE x gauge');
      t.deepEqual(rest, ['']);
      const quoted = /^x\{reason="(.*)"\} 1$/s.exec(third!)![1]!;
      t.is(
        quoted.replace(/\\(.)/gs, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
        reason,
      );
    }),
  );
});
