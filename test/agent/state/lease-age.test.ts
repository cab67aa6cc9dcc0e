import test from 'ava';
import fc from 'fast-check';
import { leaseAge } from '../../../src/agent/state/lease-age.js';
import type { Moment } from '../../../src/agent/state/moment.js';

const DAY_MS = 86_400_000;
const TTL_SECONDS = 86_400;
const renewed: Moment = { wallMs: Date.UTC(2026, 2, 1, 12), bootId: 'first', sinceBootMs: 5 * DAY_MS };

/** So long after the renewal, with the clock put by so much. */
const sameBoot = (afterMs: number, wallJumpMs = 0): Moment => ({
  wallMs: renewed.wallMs + afterMs + wallJumpMs,
  bootId: 'first',
  sinceBootMs: renewed.sinceBootMs + afterMs,
});
const otherBoot = (afterMs: number, wallJumpMs = 0, sinceBootMs = 20_000): Moment => ({
  wallMs: renewed.wallMs + afterMs + wallJumpMs,
  bootId: 'second',
  sinceBootMs,
});
const kind = (now: Moment) => leaseAge(renewed, TTL_SECONDS, now).kind;
const HOUR_MS = 3_600_000;

test('a lease is ours until a minute before its end', (t) => {
  for (const at of [sameBoot, otherBoot]) {
    t.is(kind(at(DAY_MS - 61_000)), 'ours');
    t.is(kind(at(DAY_MS - 60_000)), 'doubtful');
    t.is(kind(at(3 * DAY_MS)), 'doubtful');
  }
  t.deepEqual(leaseAge(renewed, TTL_SECONDS, sameBoot(HOUR_MS)), {
    kind: 'ours',
    secondsLeft: 23 * 3600 - 60,
  });
});

test('of a short lease a tenth is the margin', (t) => {
  t.is(leaseAge(renewed, 10, sameBoot(8_900)).kind, 'ours');
  t.is(leaseAge(renewed, 10, sameBoot(9_000)).kind, 'doubtful');
});

test('within one boot the wall clock may jump as it likes', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3 * DAY_MS }),
      fc.integer({ min: -90 * DAY_MS, max: 90 * DAY_MS }),
      (after, jump) => {
        t.deepEqual(
          leaseAge(renewed, TTL_SECONDS, sameBoot(after, jump)),
          leaseAge(renewed, TTL_SECONDS, sameBoot(after)),
        );
      },
    ),
  );
});

test('after a reboot, a clock that begins in 1970 or was set back is not believed', (t) => {
  for (const now of [otherBoot(-renewed.wallMs), otherBoot(HOUR_MS, -DAY_MS)]) {
    const age = leaseAge(renewed, TTL_SECONDS, now);
    t.is(age.kind, 'doubtful');
    t.regex(age.kind === 'doubtful' ? age.reason : '', /the clock shows a time before 2026-03-01T12:00:00Z/);
  }
});

test('after a reboot, a clock that is ahead makes the lease seem older: wait', (t) => {
  t.is(kind(otherBoot(HOUR_MS, DAY_MS)), 'doubtful');
});

test('after a reboot, the time that the machine has been up counts whatever its clock says', (t) => {
  t.is(kind(otherBoot(HOUR_MS, 0, DAY_MS)), 'doubtful');
});

test('of two readings of a lease that is not ours, the reasons are the same', (t) => {
  t.deepEqual(
    leaseAge(renewed, TTL_SECONDS, otherBoot(3 * DAY_MS)),
    leaseAge(renewed, TTL_SECONDS, otherBoot(4 * DAY_MS)),
  );
});

test('a lease that has expired is never ours where the clock is right', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9 * DAY_MS }), fc.boolean(), (after, rebooted) => {
      const now = rebooted ? otherBoot(after) : sameBoot(after);
      if (after >= TTL_SECONDS * 1000) t.is(kind(now), 'doubtful');
      else t.pass();
    }),
  );
});
