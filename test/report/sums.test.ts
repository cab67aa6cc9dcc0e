import test from 'ava';
import { formatSums, readSums } from './sums.js';

const allPassed = `
  ✔ a › one
  ✔ a › two
  ✔ [expected fail] a › known
  - [skip] a › three
  ─

  2 tests passed
  1 known failure
  1 test skipped
  1 test todo
`;

const someFailed = `
  ✔ a › one
  ✘ [fail]: a › two
  ─

  a › two

  7 tests passed

  ─

  1 test failed
  1 uncaught exception
`;

test('a run without failures has the sums that AVA gives', (t) => {
  t.is(formatSums(readSums(allPassed, 0)), '3 passed, 0 failed, 2 skipped');
});

test('passes are counted by their ticks when a test failed, and a failure may print what it likes', (t) => {
  t.is(formatSums(readSums(someFailed, 1)), '1 passed, 2 failed, 0 skipped');
});

test('a run that AVA calls a failure without a sum has one failure', (t) => {
  t.is(formatSums(readSums('  ✘ Couldn’t find any matching tests\n', 1)), '0 passed, 1 failed, 0 skipped');
  t.is(formatSums(readSums('  ✔ a › one\n  ─\n\n  1 test passed\n', 1)), '1 passed, 1 failed, 0 skipped');
});

test('tests that hang are failures', (t) => {
  t.is(readSums('  ─\n\n  4 tests passed\n  2 tests remained pending after a timeout\n', 1).failed, 2);
});
