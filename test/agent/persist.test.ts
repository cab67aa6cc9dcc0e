import test from 'ava';
import { pino } from 'pino';
import { type Failure, persist } from '../../src/agent/persist.js';
import { PoolFullError, StoreUnavailableError } from '../../src/errors.js';
import { recordingLog } from '../fakes/log.js';

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

test('etcd members that fail in turn, each in its own words, do not fill the log', async (t) => {
  const [first, second] = [new StoreUnavailableError('no first'), new StoreUnavailableError('no second')];
  t.deepEqual(await reasonsOf([first, second, first, second, 'done']), ['no first', 'no second']);
});

test('a reason that is another each time does not fill the log', async (t) => {
  const reasons = Array.from({ length: 7 }, (_, index) => new StoreUnavailableError(`failure ${index}`));
  t.is((await reasonsOf([...reasons, 'done'])).length, 5);
});

test('a full pool whose leases count down is told once', async (t) => {
  const full = [9, 8].map((seconds) => new PoolFullError(`full, the first to expire in ${seconds} s`));
  t.deepEqual(await reasonsOf([...full, 'done']), ['full, the first to expire in 9 s']);
});

test('something else to go on with ends the wait, also when there is no answer at all', async (t) => {
  const { signal } = new AbortController();
  const log = pino({ level: 'silent' });
  const more = { waitingFor: 'it', absent: 'absent', log, signal };
  const refused = async () => {
    throw new StoreUnavailableError('refused');
  };
  const instead = ({ reason, error }: Failure) => ({ value: `${reason}, ${error?.code}` });
  t.is(await persist<string>(refused, { ...more, instead }), 'refused, store-unavailable');
  const given: AbortSignal[] = [];
  const silent = (until: AbortSignal) => new Promise<string>(() => given.push(until));
  t.is(await persist<string>(silent, { ...more, instead }), 'no result so far, undefined');
  t.true(given[0]!.aborted, 'the attempt is told to end');
});

test('why there is nothing to go on with is told with the reason', async (t) => {
  const { log, lines } = recordingLog();
  const outcomes = [undefined, 'done'];
  await persist(async () => outcomes.shift(), {
    waitingFor: 'it',
    absent: 'absent',
    instead: () => ({ reason: 'nothing else' }),
    log,
    signal: new AbortController().signal,
  });
  t.is(lines[0]!.reason, 'absent; nothing else');
});
