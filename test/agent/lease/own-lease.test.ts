import { EventEmitter, once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { Contact } from '../../../src/agent/contact.js';
import { OwnLease } from '../../../src/agent/lease/own-lease.js';
import { currentMoment } from '../../../src/agent/state/moment.js';
import { SubnetLostError } from '../../../src/errors.js';
import { encodeAttributes } from '../../../src/lease/codec.js';
import { LeaseTable } from '../../../src/lease/table.js';
import { FakeEtcd, FakeLeaseStore } from '../../fakes/lease-store.js';
import { attributes, prefix } from '../../lease/leases.js';
import { until } from '../../until.js';

const KEY = '10.5.34.0-24';
const TTL_SECONDS = 3600;
const ours = attributes('192.0.2.1', { identity: '0'.repeat(32) });
const theirs = encodeAttributes(attributes('192.0.2.9', { identity: '9'.repeat(32) }));

interface Setting {
  /** What was before we came. */
  readonly prepare?: (etcd: FakeEtcd) => void;
  readonly mayClaim?: () => Promise<void>;
}

/** A lease that is kept until the test ends, with the watch that shows it. */
async function start(t: ExecutionContext, { prepare, mayClaim }: Setting = {}) {
  const etcd = new FakeEtcd();
  prepare?.(etcd);
  const store = new FakeLeaseStore(etcd);
  const stop = new AbortController();
  const { signal } = stop;
  const claimed = await store.claim(prefix('10.5.34.0/24'), ours, TTL_SECONDS, signal);
  if (claimed.kind === 'taken') throw new Error('the pool of the test is empty');
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line).msg) });
  const contact = new Contact(log, () => undefined);
  const own = new OwnLease({
    store,
    lease: claimed.lease,
    renewed: currentMoment(),
    attributes: ours,
    ttlSeconds: TTL_SECONDS,
    newTtlSeconds: TTL_SECONDS,
    renewMarginSeconds: 60,
    contact,
    log,
    mayClaim: mayClaim ?? (async () => undefined),
    onChange: () => undefined,
  });
  const kept = own.keep(signal);
  kept.catch(() => undefined);
  const snapshot = await store.snapshot(signal);
  const table = new LeaseTable(snapshot);
  const watching = (async () => {
    for await (const updates of store.watch(snapshot.revision, signal))
      for (const update of updates) {
        if (update.kind === 'snapshot') own.showAll(update.snapshot, update.restored === true);
        else for (const change of table.fold(update)) own.show(change);
      }
  })();
  t.teardown(async () => {
    stop.abort();
    await Promise.allSettled([kept, watching]);
  });
  return { etcd, store, kept, lines, contact };
}

test('a deleted key is claimed again at once, and only once', async (t) => {
  const { etcd, store, lines } = await start(t);
  etcd.remove(KEY);
  await until(t, 'the key is back', () => etcd.entries.has(KEY));
  await until(t, 'the log says so', () => lines.includes('our subnet is claimed again'));
  etcd.remove(KEY);
  await until(t, 'the key is back a second time', () => etcd.entries.has(KEY));
  await until(t, 'the log says so again', () => lines.filter((line) => line.includes('again')).length === 4);
  t.is(store.calls.filter((call) => call === 'claim').length, 3);
});

test('a lease that expired is claimed again', async (t) => {
  const { etcd } = await start(t);
  etcd.advance(TTL_SECONDS + 1);
  await until(t, 'the key is back', () => etcd.entries.has(KEY));
});

test('a value that cannot be read is written over, and the subnet is kept', async (t) => {
  const { etcd, lines } = await start(t);
  etcd.put(KEY, 'rubbish');
  await until(t, 'our value is back', () => etcd.entries.get(KEY)?.text === encodeAttributes(ours));
  await until(t, 'the log says so', () => lines.includes('our subnet is claimed again'));
  t.is(lines.length, 2);
});

test('when another host’s name stands under our key, that host is named', async (t) => {
  const { etcd, kept } = await start(t);
  etcd.put(KEY, theirs);
  const error = await t.throwsAsync(kept, { instanceOf: SubnetLostError });
  t.is(error.holder, '192.0.2.9');
});

test('a key that was deleted and taken by another host before we saw it is lost', async (t) => {
  const { etcd, kept } = await start(t);
  etcd.remove(KEY);
  etcd.put(KEY, theirs);
  const error = await t.throwsAsync(kept, { instanceOf: SubnetLostError });
  t.is(error.holder, '192.0.2.9');
});

test('a value that a flanneld of this host wrote is ours again, on the lease that it has now', async (t) => {
  const { etcd } = await start(t);
  const leaseId = etcd.grant(TTL_SECONDS);
  etcd.put(KEY, encodeAttributes(attributes('192.0.2.1')), leaseId);
  await until(t, 'our value is back', () => etcd.entries.get(KEY)?.text === encodeAttributes(ours));
  t.is(etcd.entries.get(KEY)?.leaseId, leaseId);
});

test('a lease that an operator turned into a reservation stays one', async (t) => {
  const { etcd, lines } = await start(t);
  etcd.put(KEY, encodeAttributes(ours));
  etcd.advance(TTL_SECONDS * 2);
  etcd.remove(KEY);
  await until(t, 'its deletion is settled', () => lines.includes('our subnet is claimed again'));
});

test('all leases gone in a compacted history are claimed again', async (t) => {
  const { etcd, store } = await start(t);
  store.cut();
  etcd.remove(KEY);
  etcd.compact();
  store.mend();
  await until(t, 'the key is back', () => etcd.entries.has(KEY));
});

for (const [what, text] of [
  ['another host', theirs],
  ['an older lease of ours', encodeAttributes({ ...ours, backendType: 'vxlan' })],
])
  test(`a restored backup that has ${what} under our key is written over`, async (t) => {
    let restore = () => {};
    const { etcd, lines } = await start(t, {
      prepare: (before) => {
        before.put(KEY, text!);
        restore = before.backup();
        before.remove(KEY);
      },
    });
    restore();
    await until(t, 'our value is back', () => etcd.entries.get(KEY)?.text === encodeAttributes(ours));
    t.not(etcd.entries.get(KEY)?.leaseId, '0');
    t.deepEqual(lines, ['our lease is out of an older backup of etcd, publishing it again']);
  });

test('when our lease is published again, a renewal that had failed counts no more', async (t) => {
  let restore = () => {};
  const { etcd, lines, contact } = await start(t, {
    prepare: (before) => {
      before.put(KEY, encodeAttributes({ ...ours, backendType: 'vxlan' }));
      restore = before.backup();
      before.remove(KEY);
    },
  });
  contact.lost('lease', { reason: 'the test says so', refused: false });
  restore();
  await until(t, 'our value is back', () => etcd.entries.get(KEY)?.text === encodeAttributes(ours));
  await until(t, 'the log says so', () => lines.at(-1) === 'etcd is back');
  t.is(contact.silence, undefined);
});

test('nothing is claimed before the config is there', async (t) => {
  const config = new EventEmitter();
  const mayClaim = async () => void (await once(config, 'there'));
  const { etcd, lines } = await start(t, { mayClaim });
  etcd.remove(KEY);
  await until(t, 'it is noticed', () => lines.length === 1);
  t.false(etcd.entries.has(KEY));
  config.emit('there');
  await until(t, 'the key is back', () => etcd.entries.has(KEY));
});
