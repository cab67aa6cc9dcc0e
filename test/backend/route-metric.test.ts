import test from 'ava';
import { routeMetric } from '../../src/backend/route-metric.js';
import { parsePrefix } from '../../src/net/prefix.js';

test('neighbouring subnets get different metrics, whatever their length', (t) => {
  for (const [a, b] of [
    ['10.5.1.0/24', '10.5.2.0/24'],
    ['10.5.0.0/26', '10.5.0.64/26'],
    ['10.4.0.0/16', '10.5.0.0/16'],
  ] as const) {
    t.not(routeMetric(parsePrefix(a)!), routeMetric(parsePrefix(b)!));
  }
});

test('10,000 subnets are spread evenly over the metrics 1000 to 2023', (t) => {
  const counts = new Map<number, number>();
  for (let index = 0; index < 10_240; index++) {
    const metric = routeMetric({ address: 0x0a000000 + index * 256, length: 24 });
    t.true(metric >= 1000 && metric <= 2023);
    counts.set(metric, (counts.get(metric) ?? 0) + 1);
  }
  t.deepEqual([counts.size, Math.max(...counts.values())], [1024, 10]);
});
