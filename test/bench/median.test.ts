import test from 'ava';
import fc from 'fast-check';
import { median, medianRatio, percentile } from '../../bench/median.js';

test('the median of an odd number of values is the middle one, of an even number the mean of two', (t) => {
  t.is(median([9, 1, 5]), 5);
  t.is(median([9, 1, 5, 6]), 5.5);
  t.is(median([]), Number.NaN);
});

test('a percentile is a value that was measured', (t) => {
  const values = Array.from({ length: 200 }, (_, index) => index + 1);
  t.is(percentile(values, 50), 100);
  t.is(percentile(values, 99), 198);
  t.is(percentile(values, 100), 200);
  t.is(percentile([7], 99), 7);
  t.is(percentile([], 99), Number.NaN);
});

test('at least as many per cent of the values as asked for do not exceed the percentile, and no smaller value will do', (t) => {
  const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (measured, percent) => {
      const reached = percentile(measured, percent);
      const share = (limit: number) =>
        (100 * measured.filter((value) => value <= limit).length) / measured.length;
      t.true(share(reached) >= percent);
      t.true(share(reached - 1) < percent);
    }),
  );
});

test('a ratio compares run with run, so that a slow moment in one turn does not count twice', (t) => {
  t.is(medianRatio([10, 100, 12], [10, 100, 12]), 1);
  t.is(medianRatio([20, 300, 24], [10, 100, 12]), 2);
});

test('runs without a partner are left out of a ratio', (t) => {
  t.is(medianRatio([2, 4, 1000], [1, 2]), 2);
});
