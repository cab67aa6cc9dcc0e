import test from 'ava';
import type { Lease } from '../../src/lease/lease.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { NOBODY, planReservation, type ReservationPlan } from '../../src/tool/reservation.js';
import { network, peerLease } from '../backend/views.js';

const held = peerLease('10.5.34.0/24', '192.0.2.34', 'vxlan');
const reserved: Lease = { ...peerLease('10.5.35.0/24', '192.0.2.35', ''), leaseId: '0' };

function plan(subnet: string, publicIp?: string): ReservationPlan {
  const request = { subnet: parsePrefix(subnet)!, publicIp, leases: [held, reserved], config: network };
  return planReservation(request);
}

test('a free subnet is reserved for the host that is named, or for nobody', (t) => {
  const attributes = { publicIp: '192.0.2.9', publicIpV6: null, backendType: '' };
  t.deepEqual(plan('10.5.9.0/24', '192.0.2.9'), { kind: 'write', attributes, held: undefined });
  t.deepEqual(plan('10.5.9.0/24'), {
    kind: 'write',
    attributes: { ...attributes, publicIp: NOBODY },
    held: undefined,
  });
});

test('a lease becomes a reservation for its holder, as it is', (t) => {
  const write = { kind: 'write', attributes: held.attributes, held } as const;
  t.deepEqual(plan('10.5.34.0/24'), write);
  t.deepEqual(plan('10.5.34.0/24', '192.0.2.34'), write);
});

test('what is reserved already stays as it is', (t) => {
  t.deepEqual(plan('10.5.35.0/24'), { kind: 'already', publicIp: '192.0.2.35' });
});

test('a part of the pool of any length can be kept from everybody', (t) => {
  t.is(plan('10.5.128.0/17').kind, 'write');
});

const impossible: [subnet: string, publicIp: string | undefined, reason: RegExp][] = [
  ['10.5.34.0/24', '192.0.2.9', /^192\.0\.2\.34 holds it; release it first$/],
  ['10.5.32.0/20', undefined, /^it overlaps 10\.5\.34\.0\/24 of 192\.0\.2\.34$/],
  ['10.6.1.0/24', undefined, /^the pool is 10\.5\.0\.0\/16$/],
  ['10.5.9.1/24', undefined, /^write it 10\.5\.9\.0\/24$/],
  ['10.5.9.0/24', '192.0.2.34', /^192\.0\.2\.34 has 10\.5\.34\.0\/24 already/],
  ['10.5.9.0/25', '192.0.2.9', /^it is a \/25, not a \/24$/],
  ['10.5.0.0/24', '192.0.2.9', /^it is none of 10\.5\.1\.0 to 10\.5\.255\.0$/],
];

for (const [subnet, publicIp, reason] of impossible) {
  test(`${subnet} cannot be reserved for ${publicIp ?? 'nobody'}: ${reason.source}`, (t) => {
    const answer = plan(subnet, publicIp);
    t.regex(answer.kind === 'impossible' ? answer.reason : answer.kind, reason);
  });
}
