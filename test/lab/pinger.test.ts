import test from 'ava';
import { parsePing } from '../../src/lab/ping.js';
import { SequenceTally } from '../../src/lab/pinger.js';

test('the summary of ping gives counts and the fastest round trip', (t) => {
  const output = [
    '3 packets transmitted, 2 received, 33.3333% packet loss, time 41ms',
    'rtt min/avg/max/mdev = 0.031/0.042/0.060/0.012 ms',
  ].join('\n');
  t.deepEqual(parsePing(output), { sent: 3, received: 2, roundTripMs: 0.031 });
});

test('nothing received has no round trip', (t) => {
  t.deepEqual(parsePing('3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2044ms'), {
    sent: 3,
    received: 0,
    roundTripMs: undefined,
  });
});

function tallyOf(sequences: readonly number[]): SequenceTally {
  const tally = new SequenceTally();
  for (const sequence of sequences) tally.add(sequence);
  return tally;
}

test('a hole before the last answer is a loss', (t) => {
  t.is(tallyOf([1, 2, 4, 5]).report(5, 100).lost, 1);
});

test('answers out of order are no loss', (t) => {
  t.is(tallyOf([1, 3, 2, 4]).report(4, 100).lost, 0);
});

test('answers under way at the end are no loss, a long silence is', (t) => {
  t.is(tallyOf([1, 2, 3]).report(50, 100).lost, 0);
  t.is(tallyOf([1, 2, 3]).report(500, 100).lost, 497);
});

test('sequence numbers that wrap are counted on', (t) => {
  const all = Array.from({ length: 70_000 }, (_, index) => (index + 1) & 0xffff);
  t.deepEqual(tallyOf(all).report(70_000, 100), { sent: 70_000, received: 70_000, lost: 0 });
});
