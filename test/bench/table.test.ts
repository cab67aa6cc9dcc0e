import test from 'ava';
import { compare } from '../../bench/rows.js';
import { formatTable, formatValue } from '../../bench/table.js';

test('the table shows medians, the ratio to the peer, and whether the target is met', (t) => {
  const rows = [
    ...compare({
      figure: 'time',
      unit: 'ms',
      runs: { loden: [900, 1100, 1200], 'ip -batch': [100, 110, 120] },
      value: (ms) => ms,
      target: { of: 'loden', bound: 'at most', value: 1000 },
    }),
    ...compare({
      figure: 'stream',
      unit: 'Gbit/s',
      runs: { loden: [9.8], 'by hand': [10] },
      value: (gbits) => gbits,
      target: { of: 'ratio', bound: 'at least', value: 0.97 },
    }),
  ];
  t.is(
    formatTable(rows),
    `FIGURE       LODEN  PEER                  RATIO  TARGET
time         1.1 s  ip -batch     110 ms     10  at most 1 s: missed
stream  9.8 Gbit/s  by hand    10 Gbit/s   0.98  at least ratio 0.97: met`,
  );
});

test('each peer has a row of its own, and the target stands in the first', (t) => {
  const target = { of: 'loden', bound: 'at most', value: 2 } as const;
  const runs = { loden: [1], floor: [1], flanneld: [3] };
  const rows = compare({ figure: 'x', unit: 'ms', runs, value: (ms) => ms, target });
  t.deepEqual(
    rows.map((row) => [row.peer?.name, row.target !== undefined]),
    [
      ['floor', true],
      ['flanneld', false],
    ],
  );
});

test('a contender that has no such value gets no row', (t) => {
  const runs = { loden: [{ mb: 80 }], 'ip -batch': [{}] };
  const rows = compare<{ mb?: number }>({ figure: 'memory', unit: 'MB', runs, value: (run) => run.mb });
  t.deepEqual(rows, [{ figure: 'memory', unit: 'MB', loden: [80] }]);
});

test('a target without a value to hold against it is missed', (t) => {
  const target = { of: 'loden', bound: 'at most', value: 2 } as const;
  t.regex(formatTable([{ figure: 'x', unit: 'ms', loden: [], target }]), /^x +- ms .*missed$/m);
});

test('values have three significant digits, and seconds stand for a thousand milliseconds', (t) => {
  t.is(formatValue(12.345, 'ms'), '12.3 ms');
  t.is(formatValue(999.9, 'ms'), '1000 ms');
  t.is(formatValue(12_345, 'ms'), '12.3 s');
  t.is(formatValue(0.01234, 'ms'), '0.0123 ms');
  t.is(formatValue(40, ''), '40');
});
