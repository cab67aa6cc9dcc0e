import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { together } from '../src/together.js';

const forLong = (until: AbortSignal) => delay(60_000, undefined, { signal: until });

test('the first failure stops the others, and is thrown once all have settled', async (t) => {
  let settled = false;
  const late = (until: AbortSignal) =>
    forLong(until).catch(async () => {
      await delay(5);
      settled = true;
      throw new Error('only because it was stopped');
    });
  await t.throwsAsync(together(undefined, [late, () => Promise.reject(new Error('the cause'))]), {
    message: 'the cause',
  });
  t.true(settled);
});

test('an abort stops all, and is no failure', async (t) => {
  const stop = new AbortController();
  const running = together(stop.signal, [forLong, forLong]);
  stop.abort(new Error('enough'));
  await t.notThrowsAsync(running);
});
