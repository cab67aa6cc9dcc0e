import test from 'ava';
import { pino } from 'pino';
import { persist } from '../../src/agent/persist.js';
import { PoolFullError, StoreUnavailableError } from '../../src/errors.js';

/** Runs through these outcomes; the reasons that the log told. */
async function reasonsOf(outcomes: readonly (Error | string)[]): Promise<unknown[]> {
  const reasons: unknown[] = [];
  const write = (line: string) => {
    const { reason } = JSON.parse(line) as { reason?: string };
    if (reason !== undefined) reasons.push(reason);
  };
  const rest = [...outcomes];
  const attempt = async () => {
    const next = rest.shift();
    if (next instanceof Error) throw next;
    return next;
  };
  const signal = new AbortController().signal;
  await persist(attempt, { waitingFor: 'it', absent: 'absent', log: pino({}, { write }), signal });
  return reasons;
}

test('what is waited for is told at once, and again when the reason changes', async (t) => {
  const [refused, silent] = [new StoreUnavailableError('refused'), new StoreUnavailableError('silent')];
  t.deepEqual(await reasonsOf([refused, refused, silent, 'done']), ['refused', 'silent']);
});

test('a full pool whose leases count down is told once', async (t) => {
  const full = [9, 8].map((seconds) => new PoolFullError(`full, the first to expire in ${seconds} s`));
  t.deepEqual(await reasonsOf([...full, 'done']), ['full, the first to expire in 9 s']);
});
