import test from 'ava';
import { type HoldReport, hold, renewIntervalSeconds } from '../../src/lease/hold.js';
import type { Lease } from '../../src/lease/lease.js';
import { FakeClock, hurriedClock } from '../fakes/clock.js';
import { FakeEtcd, FakeLeaseStore } from '../fakes/lease-store.js';
import { lease } from './leases.js';

const TTL = 90;

interface Holding {
  readonly etcd: FakeEtcd;
  readonly store: FakeLeaseStore;
  readonly reports: HoldReport[];
  readonly kinds: () => string[];
  readonly abort: AbortController;
  readonly end: Promise<unknown>;
  pass(seconds: number): Promise<void>;
}

function holding(more: Partial<Lease> = {}): Holding {
  const etcd = new FakeEtcd();
  const store = new FakeLeaseStore(etcd);
  const clock = new FakeClock();
  const abort = new AbortController();
  const reports: HoldReport[] = [];
  const end = hold({
    store,
    lease: lease('10.5.7.0/24', '192.0.2.1', { leaseId: etcd.grant(TTL), ...more }),
    renewedMs: clock.nowMs(),
    ttlSeconds: TTL,
    renewMarginSeconds: 3_600,
    clock,
    random: () => 1,
    signal: abort.signal,
    report: (report) => reports.push(report),
  }).then(
    () => 'expired',
    (error: unknown) => error,
  );
  return {
    etcd,
    store,
    reports,
    kinds: () => reports.map(({ kind }) => kind),
    abort,
    end,
    pass: async (seconds) => {
      for (let n = 0; n < seconds; n++) {
        etcd.advance(1);
        await clock.advance(1_000);
      }
    },
  };
}

test('an answer is waited for so long that another member can be asked in time', async (t) => {
  for (const [ttlSeconds, patienceMs] of [
    [86_400, 28_800_000],
    [6, 2_000],
    [2, 1_000],
  ] as const) {
    const store = new FakeLeaseStore(new FakeEtcd());
    let patience: number | undefined;
    store.keepAlive = async (_leaseId, _signal, ms) => {
      patience = ms;
      return 0;
    };
    await hold({
      store,
      lease: lease('10.5.7.0/24', '192.0.2.1', { leaseId: '1' }),
      renewedMs: 0,
      ttlSeconds,
      renewMarginSeconds: 60,
      clock: hurriedClock,
      random: () => 1,
      signal: new AbortController().signal,
      report: () => undefined,
    });
    t.is(patience, patienceMs);
  }
});

test('a lease is renewed three times per TTL, and more often when the margin asks for it', (t) => {
  t.is(renewIntervalSeconds(86_400, 3_600), 28_800);
  t.is(renewIntervalSeconds(86_400, 82_000), 4_400);
  t.is(renewIntervalSeconds(60, 3_600), 20);
  t.is(renewIntervalSeconds(10_000_000, 3_600), 86_400);
});

test('a lease that is held does not expire, and nothing is written', async (t) => {
  const { etcd, kinds, pass, abort, end } = holding();
  await pass(10 * TTL);
  t.is(etcd.grants.size, 1);
  t.is(etcd.revision, 1);
  t.deepEqual(new Set(kinds()), new Set(['renewed']));
  t.is(kinds().length, 30);
  abort.abort('enough');
  t.is(await end, 'enough');
});

test('an outage is told once, and its end once', async (t) => {
  const { store, kinds, pass, reports } = holding();
  await pass(30);
  store.cut();
  await pass(50);
  store.mend();
  await pass(20);
  t.deepEqual(kinds(), ['renewed', 'failing', 'recovered', 'renewed']);
  t.like(reports[1], { error: { message: 'the test cut the connection' } });
});

test('one TTL after the last answer the lease is uncertain, which is told once', async (t) => {
  const { store, kinds, pass } = holding();
  await pass(30);
  store.cut();
  await pass(89);
  t.deepEqual(kinds(), ['renewed', 'failing']);
  await pass(2);
  t.deepEqual(kinds(), ['renewed', 'failing', 'uncertain']);
  await pass(1_000);
  t.deepEqual(kinds(), ['renewed', 'failing', 'uncertain']);
});

test('etcd is not asked more often than twice a minute in a long outage', async (t) => {
  const { store, pass } = holding();
  store.cut();
  await pass(300);
  store.calls.length = 0;
  await pass(300);
  t.true(store.calls.length >= 9 && store.calls.length <= 11);
});

test('an expired lease ends it', async (t) => {
  const { etcd, store, kinds, pass, end } = holding();
  store.cut();
  await pass(TTL + 10);
  t.is(etcd.grants.size, 0);
  store.mend();
  await pass(40);
  t.is(await end, 'expired');
  t.deepEqual(kinds(), ['failing', 'uncertain', 'recovered']);
});

test('a reservation needs nothing', async (t) => {
  const { store, pass, abort, end } = holding({ leaseId: '0' });
  await pass(10 * TTL);
  t.deepEqual(store.calls, []);
  abort.abort('enough');
  t.is(await end, 'enough');
});
