import test from 'ava';
import { formatMatrix, formatStatus } from '../../cmd/loden/lab-text.js';
import type { MatrixEntry } from '../../src/lab/ping.js';

const plain = (text: string) => text;
const open = { sent: 3, received: 3, roundTripMs: 0.312 };
const lost = { sent: 3, received: 0, roundTripMs: undefined };

function between(
  count: number,
  result: (from: number, to: number) => typeof open | typeof lost,
): MatrixEntry[] {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return numbers.flatMap((from) =>
    numbers
      .filter((to) => to !== from)
      .map((to) => ({ from: `c${from}`, to: `c${to}`, ...result(from, to) })),
  );
}

test('a matrix shows round trips from the row to the column', (t) => {
  const pings = between(3, (from, to) => (from === 3 && to === 1 ? lost : open));
  t.is(
    formatMatrix(pings, plain),
    [
      'ms       c1     c2     c3',
      'c1        -   0.31   0.31',
      'c2     0.31      -   0.31',
      'c3     lost   0.31      -',
      '5 of 6 ways are open.',
    ].join('\n'),
  );
});

test('many containers are shown by who does not reach whom', (t) => {
  const pings = between(20, (from, to) => (from === 7 && to === 12 ? lost : open));
  t.is(formatMatrix(pings, plain), 'c7 to c12: 0 of 3 came back\n379 of 380 ways are open.');
});

test('an open way is green, a lost one red', (t) => {
  const named = (text: string, colour: string) => `${colour}(${text.trim()})`;
  const pings = between(2, (from) => (from === 1 ? open : lost));
  t.deepEqual(
    [...formatMatrix(pings, named).matchAll(/(?:green|red)\(.*?\)/g)].map((match) => match[0]),
    ['green(0.31)', 'red(lost)', 'red(1 of 2 ways are open.)'],
  );
});

test('the status of a lab of ten fits 80 columns', (t) => {
  const hosts = Array.from({ length: 10 }, (_, index) => ({
    name: `h${index + 1}`,
    address: `192.168.77.${index + 1}`,
    daemon: 'running' as const,
    container: { name: `c${index + 1}`, address: `10.77.${index + 200}.2` },
  }));
  const text = formatStatus(
    {
      name: 'lab',
      network: '10.77.0.0/16',
      backend: 'vxlan',
      etcd: 'http://192.168.77.254:2379',
      hosts,
      pings: between(10, () => open),
    },
    plain,
  );
  t.true(text.split('\n').every((line) => line.length <= 80));
  t.regex(text, /^h10 {3}192\.168\.77\.10 {2}running {2}c10 10\.77\.209\.2$/m);
});
