import test from 'ava';
import fc from 'fast-check';
import type { FirewallWish } from '../../src/firewall/firewall.js';
import { planIptables } from '../../src/firewall/iptables-plan.js';
import { iptablesRestoreText } from '../../src/firewall/iptables-restore.js';
import { NOTHING, type Ruleset } from '../../src/firewall/ruleset.js';
import { afterPlans, linesOf, parse } from './model.js';
import { DOCKER_26, DOCKER_28 } from './saved.js';
import { wishFor } from './wish.js';

const WISH = wishFor('10.5.0.0/16', '10.5.1.0/24', { ipMasq: true });
const OTHER = wishFor('10.6.0.0/16', '10.6.1.0/24', {
  ipMasq: true,
  links: ['flannel.2'],
  bridge: 'docker1',
});

function keep(observed: Ruleset, wish: FirewallWish): Ruleset {
  return afterPlans(observed, planIptables(observed, [wish.network], wish));
}

const clean = (observed: Ruleset, wish: FirewallWish) =>
  afterPlans(observed, planIptables(observed, [wish.network], undefined));

const anyFlags = fc.record({
  ipMasq: fc.boolean(),
  fullyRandom: fc.boolean(),
  forwardRules: fc.boolean(),
  dockerExpected: fc.boolean(),
});
const anyBefore = fc.constantFrom(NOTHING, parse(DOCKER_26), parse(DOCKER_28));

test('a second look finds nothing to do', (t) => {
  fc.assert(
    fc.property(anyBefore, anyFlags, (before, flags) => {
      const wish = { ...WISH, ...flags };
      t.deepEqual(planIptables(keep(before, wish), [wish.network], wish), []);
    }),
  );
  t.pass();
});

test('rules of others are the same, and in the same order, after ours came, changed, and went', (t) => {
  fc.assert(
    fc.property(anyBefore, fc.array(anyFlags, { maxLength: 4 }), (before, changes) => {
      let now = before;
      for (const flags of changes) now = keep(now, { ...WISH, ...flags });
      const text = (ruleset: Ruleset) => linesOf(ruleset).join('\n');
      return text(clean(now, WISH)) === text(before);
    }),
  );
  t.pass();
});

test('two daemons never undo each other’s work, in whatever order they look', (t) => {
  const anyTurns = fc.array(fc.boolean(), { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(anyBefore, anyTurns, (before, turns) => {
      let now = before;
      for (const first of [...turns, true, false]) now = keep(now, first ? WISH : OTHER);
      return [WISH, OTHER].every((wish) => planIptables(now, [wish.network], wish).length === 0);
    }),
  );
  t.pass();
});

test('any rules of ours that vanish are missed, and come back', (t) => {
  const whole = keep(parse(DOCKER_28), WISH);
  const count = linesOf(whole).length;
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(count - 1), { minLength: 1 }), (gone) => {
      let i = 0;
      const damaged: Ruleset = new Map(
        [...whole].map(([table, chains]) => [
          table,
          new Map(
            [...chains].map(([chain, { rules, ...rest }]) => [
              chain,
              { ...rest, rules: rules.filter((rule) => !gone.includes(i++) || !isOurs(rule)) },
            ]),
          ),
        ]),
      );
      const ours = (ruleset: Ruleset) => linesOf(ruleset).filter(isOurs).sort().join('\n');
      return ours(keep(damaged, WISH)) === ours(whole);
    }),
  );
  t.pass();
});

function isOurs(rule: string): boolean {
  return /flanneld|loden/.test(rule);
}

test('one text makes all the changes, a table at a time', (t) => {
  const observed = parse(DOCKER_26);
  const text = iptablesRestoreText(planIptables(observed, [WISH.network], { ...WISH, ipMasq: false }));
  t.is(
    text,
    `*nat
-I POSTROUTING 1 -s 10.5.1.0/24 -d 10.5.0.0/16 -o eth0 -m comment --comment "loden containers" -j ACCEPT
COMMIT
*filter
-N FLANNEL-FWD
-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-I DOCKER-USER 1 -s 10.5.0.0/16 -d 10.5.1.0/24 -i eth0 -m comment --comment "loden containers" -j ACCEPT
-I DOCKER-USER 2 -s 10.5.1.0/24 -d 10.5.0.0/16 -o eth0 -m comment --comment "loden containers" -j ACCEPT
-A FLANNEL-FWD -s 10.5.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
-A FLANNEL-FWD -d 10.5.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
COMMIT
`,
  );
});

test('DOCKER-USER is made before Docker comes when it is expected, and not otherwise', (t) => {
  t.true(
    keep(NOTHING, { ...WISH, dockerExpected: true })
      .get('filter')!
      .has('DOCKER-USER'),
  );
  t.false(keep(NOTHING, WISH).get('filter')!.has('DOCKER-USER'));
});

test('with ip-masq off in Docker, and for drops of the operator’s, there is nothing to get ahead of', (t) => {
  const quiet = parse(`*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -s 10.5.7.0/24 -j DROP
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
COMMIT
`);
  t.deepEqual(
    linesOf(keep(quiet, WISH)).filter((line) => /^(raw|nat POSTROUTING).*loden/.test(line)),
    [],
  );
});

test('a container that calls its own published port is still masqueraded by Docker', (t) => {
  const passes = linesOf(keep(parse(DOCKER_26), WISH)).filter((line) => /^nat.*loden/.test(line));
  t.deepEqual(
    passes.map((line) => / -o (\S+)/.exec(line)?.[1]),
    ['eth0'],
  );
});
