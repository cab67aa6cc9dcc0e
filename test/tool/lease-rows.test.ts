import test from 'ava';
import type { JudgeContext } from '../../src/lease/judge.js';
import type { Lease, LeaseAttributes } from '../../src/lease/lease.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { durationText, formatLeaseRows, leaseRows } from '../../src/tool/lease-rows.js';
import { network } from '../backend/views.js';

function lease(subnet: string, leaseId: string, attributes: Partial<LeaseAttributes> = {}): Lease {
  return {
    subnet: parsePrefix(subnet)!,
    attributes: { publicIp: '192.0.2.9', publicIpV6: null, backendType: 'vxlan', ...attributes },
    leaseId,
    createRevision: 5,
    modRevision: 5,
  };
}

const context: JudgeContext = {
  network,
  subnet: parsePrefix('10.5.1.0/24')!,
  publicIp: '192.0.2.1',
  uplinkNetworks: [],
  leaseType: 'vxlan',
  guarded: [],
  refusal: () => undefined,
  markOf: () => undefined,
  markFor: () => undefined,
};

const leases = [
  lease('10.5.10.0/24', '7', { backendData: { VNI: 1, VtepMAC: '0e:00:00:00:00:0a' }, identity: 'a1' }),
  lease('10.5.9.0/24', '0', { publicIp: '0.0.0.0', backendType: '' }),
  lease('10.5.1.0/24', '8', { publicIp: '192.0.2.1' }),
  lease('10.9.2.0/24', '9'),
  lease('10.5.12.0/24', '0'),
];

const secondsLeft = new Map([
  ['7', 86_399],
  ['8', 61],
]);

test('the table has a line for each lease, by address, judged as the daemon would', (t) => {
  const rows = leaseRows({ leases, context, secondsLeft });
  t.deepEqual(formatLeaseRows(rows, (text) => text).split('\n'), [
    'SUBNET        PUBLIC IP  BACKEND  VTEP               TTL       STATE',
    '10.5.1.0/24   192.0.2.1  vxlan    -                  1m1s      ok, this host',
    '10.5.9.0/24   0.0.0.0    -        -                  reserved  unused',
    '10.5.10.0/24  192.0.2.9  vxlan    0e:00:00:00:00:0a  23h59m    ok',
    '10.5.12.0/24  192.0.2.9  vxlan    -                  reserved  ok',
    '10.9.2.0/24   192.0.2.9  vxlan    -                  expired   refused: outside the pool 10.5.0.0/16',
  ]);
});

test('a script gets numbers, nulls and the reason apart', (t) => {
  const rows = leaseRows({ leases, context, secondsLeft });
  t.like(rows[2], {
    subnet: '10.5.10.0/24',
    ttlSeconds: 86_399,
    reserved: false,
    state: 'ok',
    identity: 'a1',
  });
  t.like(rows[4], { ttlSeconds: null, state: 'refused', reason: 'outside the pool 10.5.0.0/16' });
  t.like(rows[1], { ttlSeconds: null, reserved: true, state: 'unused', vtepMac: null });
});

test('a reservation that no host has taken is refused where more is wrong with it than that', (t) => {
  const reserved = (subnet: string, publicIp: string) =>
    leaseRows({
      leases: [lease(subnet, '0', { publicIp, backendType: '' })],
      context: { ...context, uplinkNetworks: [parsePrefix('192.0.2.0/24')!] },
      secondsLeft,
    })[0]!;
  t.is(reserved('10.5.9.0/24', '192.0.2.9').state, 'unused');
  t.is(reserved('10.9.2.0/24', '192.0.2.9').reason, 'outside the pool 10.5.0.0/16');
  t.is(reserved('10.9.2.0/24', '0.0.0.0').state, 'unused');
  t.is(
    reserved('10.5.9.0/24', '192.0.2.255').reason,
    "public IP 192.0.2.255 is not a host's in 192.0.2.0/24",
  );
});

test('without a config nothing is judged', (t) => {
  const rows = leaseRows({ leases, context: undefined, secondsLeft });
  t.true(rows.every(({ state }) => state === 'unknown'));
});

test('the state is painted by what it is', (t) => {
  const rows = leaseRows({ leases, context, secondsLeft });
  const shown = formatLeaseRows(rows, (text, colour) => `${colour}(${text})`);
  t.true(shown.includes('green(ok)'));
  t.true(shown.includes('red(refused: outside'));
});

test('what VtepMAC holds is shown only if it is a text', (t) => {
  for (const backendData of [null, 5, ['x'], { VtepMAC: 5 }]) {
    const rows = leaseRows({ leases: [lease('10.5.2.0/24', '7', { backendData })], context, secondsLeft });
    t.is(rows[0]!.vtepMac, null);
  }
});

test('times are told in two units at most', (t) => {
  t.deepEqual([0, 9, 60, 250, 86_399, 86_400, 90_000].map(durationText), [
    '0s',
    '9s',
    '1m',
    '4m10s',
    '23h59m',
    '1d',
    '1d1h',
  ]);
});
