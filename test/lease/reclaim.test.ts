import test from 'ava';
import { SubnetLostError } from '../../src/errors.js';
import { encodeAttributes, leaseKey } from '../../src/lease/codec.js';
import { ownKeyState } from '../../src/lease/fit.js';
import type { Lease, LeaseAttributes } from '../../src/lease/lease.js';
import type { OutageReport } from '../../src/lease/outage.js';
import { reclaim } from '../../src/lease/reclaim.js';
import { hurriedClock } from '../fakes/clock.js';
import { FakeEtcd, FakeLeaseStore } from '../fakes/lease-store.js';
import { attributes, lease } from './leases.js';

const TTL = 60;
const mine = attributes('192.0.2.1', { identity: 'me', boot: 'first' });
const ours = lease('10.5.7.0/24', '192.0.2.1', { attributes: mine });

function setup(held = ours) {
  const etcd = new FakeEtcd();
  const store = new FakeLeaseStore(etcd);
  const reports: OutageReport[] = [];
  const claimAgain = () =>
    reclaim({
      store,
      lease: held,
      ttlSeconds: TTL,
      clock: hurriedClock,
      random: Math.random,
      signal: new AbortController().signal,
      report: (report) => reports.push(report),
    });
  return { etcd, store, reports, claimAgain };
}

test('a key that is gone is claimed again, with the same attributes', async (t) => {
  const { etcd, claimAgain } = setup();
  const again = await claimAgain();
  t.deepEqual(again.subnet, ours.subnet);
  t.is(etcd.entries.get(leaseKey(ours))!.text, encodeAttributes(mine));
  t.is(etcd.secondsLeft(again.leaseId), TTL);
});

test('a subnet that another host holds by now is lost, and the error says to whom and what to do', async (t) => {
  const { etcd, claimAgain, reports } = setup();
  etcd.put(leaseKey(ours), encodeAttributes(attributes('192.0.2.9')), etcd.grant(TTL));
  const error = await t.throwsAsync(claimAgain(), { instanceOf: SubnetLostError });
  t.is(error!.subnet, '10.5.7.0/24');
  t.is(error!.holder, '192.0.2.9');
  t.regex(error!.message, /10\.5\.7\.0\/24 is now held by 192\.0\.2\.9.*Containers of this host/);
  t.deepEqual(reports, []);
});

test('a subnet that an older lease overlaps by now is lost, and our claim taken back', async (t) => {
  const { etcd, claimAgain } = setup();
  etcd.put('10.5.0.0-20', encodeAttributes(attributes('192.0.2.9')), etcd.grant(TTL));
  const error = await t.throwsAsync(claimAgain(), { instanceOf: SubnetLostError });
  t.is(error!.holder, '192.0.2.9');
  t.deepEqual([...etcd.entries.keys()], ['10.5.0.0-20']);
});

test('a key whose value cannot be read is nobody’s, and ours again with a lease of its own', async (t) => {
  const { etcd, claimAgain } = setup();
  etcd.put(leaseKey(ours), 'rubbish');
  const again = await claimAgain();
  t.is(etcd.entries.get(leaseKey(ours))!.text, encodeAttributes(mine));
  t.is(etcd.secondsLeft(again.leaseId), TTL);
  t.is(again.modRevision, etcd.entries.get(leaseKey(ours))!.modRevision);
});

test('a reservation whose value cannot be read becomes one again', async (t) => {
  const { etcd, claimAgain } = setup({ ...ours, leaseId: '0' });
  etcd.put(leaseKey(ours), 'rubbish');
  t.is((await claimAgain()).leaseId, '0');
  t.is(etcd.entries.get(leaseKey(ours))!.leaseId, '0');
});

test('a subnet whose key cannot be read and that an older lease overlaps is lost', async (t) => {
  const { etcd, claimAgain } = setup();
  etcd.put('10.5.0.0-20', encodeAttributes(attributes('192.0.2.9')), etcd.grant(TTL));
  etcd.put(leaseKey(ours), 'rubbish');
  const error = await t.throwsAsync(claimAgain(), { instanceOf: SubnetLostError });
  t.is(error!.holder, '192.0.2.9');
  t.deepEqual([...etcd.entries.keys()], ['10.5.0.0-20']);
});

test('a key that turns out to be ours is kept', async (t) => {
  const { etcd, claimAgain } = setup();
  const leaseId = etcd.grant(TTL);
  etcd.put(leaseKey(ours), encodeAttributes(mine), leaseId);
  t.is((await claimAgain()).leaseId, leaseId);
});

test('a key that turns out to be ours has its whole TTL ahead, however little was left', async (t) => {
  const { etcd, claimAgain } = setup();
  const leaseId = etcd.grant(TTL);
  etcd.put(leaseKey(ours), encodeAttributes(mine), leaseId);
  etcd.advance(TTL - 1);
  await claimAgain();
  t.is(etcd.secondsLeft(leaseId), TTL);
});

test('a key that turns out to be ours and expires at that moment is claimed again', async (t) => {
  const { etcd, store, claimAgain } = setup();
  const leaseId = etcd.grant(TTL);
  etcd.put(leaseKey(ours), encodeAttributes(mine), leaseId);
  const keepAlive = store.keepAlive.bind(store);
  store.keepAlive = (...args) => {
    etcd.advance(TTL);
    return keepAlive(...args);
  };
  const again = await claimAgain();
  t.not(again.leaseId, leaseId);
  t.is(etcd.secondsLeft(again.leaseId), TTL);
});

test('a claim whose answer was lost is found to be ours', async (t) => {
  const { etcd, store, claimAgain, reports } = setup();
  store.loseNextAnswer();
  const again = await claimAgain();
  t.is(etcd.entries.get(leaseKey(ours))!.leaseId, again.leaseId);
  t.deepEqual(
    reports.map(({ kind }) => kind),
    ['failing', 'recovered'],
  );
});

test('it goes on through an outage, which is told once', async (t) => {
  const { store, claimAgain, reports } = setup();
  store.cut();
  const again = claimAgain();
  while (store.calls.length < 5) await new Promise((resolve) => setImmediate(resolve));
  store.mend();
  t.deepEqual((await again).subnet, ours.subnet);
  t.deepEqual(
    reports.map(({ kind }) => kind),
    ['failing', 'recovered'],
  );
});

const seen: [string, Partial<Lease> | undefined, Partial<LeaseAttributes>, ReturnType<typeof ownKeyState>][] =
  [
    ['that is not there', undefined, {}, 'gone'],
    ['as it was', {}, {}, 'held'],
    ['as it was before', { modRevision: 1 }, { publicIp: '192.0.2.9' }, 'held'],
    ['written again unchanged', { modRevision: 9 }, {}, 'held'],
    ['with another MAC', { modRevision: 9 }, { backendData: 'x' }, 'rewritten'],
    ['on another etcd lease', { modRevision: 9, leaseId: '99' }, {}, 'rewritten'],
    ['of another public IP', { modRevision: 9 }, { publicIp: '192.0.2.9' }, 'taken'],
    ['of our public IP and another identity', { modRevision: 9 }, { identity: 'clone' }, 'taken'],
    ['of our identity and another boot', { modRevision: 9 }, { boot: 'second' }, 'taken'],
    ['with a question in it', { modRevision: 9 }, { challenge: '192.0.2.9 other' }, 'rewritten'],
  ];
for (const [what, more, data, state] of seen)
  test(`our key ${what} is ${state}`, (t) => {
    const shown = more && { ...ours, ...more, attributes: { ...mine, ...data } };
    t.is(ownKeyState(ours, shown), state);
  });

test('our key rewritten by a flanneld on this host is still ours', (t) => {
  const byFlannel = { ...ours, modRevision: 9, leaseId: '99', attributes: attributes('192.0.2.1') };
  t.is(ownKeyState(ours, byFlannel), 'rewritten');
});
