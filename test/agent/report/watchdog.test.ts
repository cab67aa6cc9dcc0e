import test from 'ava';
import { pingWatchdog } from '../../../src/agent/report/watchdog.js';
import { waitFor } from '../../../src/lab/wait.js';

test('the watchdog is pinged at once, and then twice in the time that it allows', async (t) => {
  const stop = new AbortController();
  const pings: number[] = [];
  const started = performance.now();
  pingWatchdog({ WATCHDOG_USEC: '200000' }, () => pings.push(performance.now() - started), stop.signal);
  t.is(pings.length, 1);
  await waitFor('five pings', () => pings.length >= 5);
  t.true(pings[4]! >= 4 * 100 - 10, `five pings came in ${pings[4]} ms`);
  stop.abort();
});

test('an event loop that is blocked sends no ping, however long its timers are overdue', async (t) => {
  const stop = new AbortController();
  let pings = 0;
  pingWatchdog({ WATCHDOG_USEC: '40000' }, () => pings++, stop.signal);
  const end = performance.now() + 200;
  while (performance.now() < end);
  t.is(pings, 1);
  await waitFor('pings again', () => pings > 1);
  stop.abort();
});

test('no ping comes after the signal', async (t) => {
  const stop = new AbortController();
  let pings = 0;
  pingWatchdog({ WATCHDOG_USEC: '2000' }, () => pings++, stop.signal);
  await waitFor('a second ping', () => pings > 1);
  stop.abort();
  const before = pings;
  const another = new AbortController();
  let others = 0;
  pingWatchdog({ WATCHDOG_USEC: '2000' }, () => others++, another.signal);
  await waitFor('pings of another watchdog', () => others > 5);
  another.abort();
  t.is(pings, before);
});

test('a watchdog that is not there, or means another process, is not pinged', (t) => {
  const { signal } = new AbortController();
  const ping = () => t.fail();
  pingWatchdog({}, ping, signal);
  pingWatchdog({ WATCHDOG_USEC: '' }, ping, signal);
  pingWatchdog({ WATCHDOG_USEC: '0' }, ping, signal);
  pingWatchdog({ WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }, ping, signal);
  t.pass();
});
