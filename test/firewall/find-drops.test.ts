import test from 'ava';
import { findDrops } from '../../src/firewall/find-drops.js';
import { planIptables } from '../../src/firewall/iptables-plan.js';
import { afterPlans, parse } from './model.js';
import { DOCKER_26, DOCKER_28 } from './saved.js';
import { wishFor } from './wish.js';

const WISH = wishFor('10.5.0.0/16', '10.5.1.0/24');

function dropsIn(save: string, wish = WISH): string[] {
  return findDrops(parse(save), wish).map(({ rule }) => rule);
}

function filter(...lines: string[]): string {
  const chains = ['LOGDROP', 'FW'].map((chain) => `:${chain} - [0:0]`);
  return ['*filter', ':FORWARD ACCEPT [0:0]', ...chains, ...lines, 'COMMIT', ''].join('\n');
}

test('Docker’s own rules that drop packets of the pool are named', (t) => {
  t.deepEqual(dropsIn(DOCKER_26), ['iptables -t filter -P FORWARD DROP']);
  t.deepEqual(dropsIn(DOCKER_28), [
    'iptables -t raw -A PREROUTING -d 10.5.1.2/32 ! -i docker0 -j DROP',
    'iptables -t filter -A DOCKER ! -i docker0 -o docker0 -j DROP',
  ]);
});

test('with our rules nothing is dropped', (t) => {
  for (const save of [DOCKER_26, DOCKER_28]) {
    const observed = parse(save);
    t.deepEqual(findDrops(afterPlans(observed, planIptables(observed, [WISH.network], WISH)), WISH), []);
  }
});

test('the advice on Docker’s protection of containers’ addresses is allow-direct-routing', (t) => {
  const [raw] = findDrops(parse(DOCKER_28), WISH);
  t.regex(raw!.advice, /"allow-direct-routing": true/);
});

test('a rule with an option that is not known decides nothing, whatever the option is called', (t) => {
  for (const option of ['--constructor', 'constructor', '__proto__'])
    t.deepEqual(dropsIn(filter(`-A FORWARD ${option} x -j DROP`)), []);
});

test('a drop in a chain that others jump to is found, and one that is never come to is not', (t) => {
  t.deepEqual(
    dropsIn(
      filter('-A FORWARD -j FW', '-A FW -i eth0 -j LOGDROP', '-A LOGDROP -j LOG', '-A LOGDROP -j DROP'),
    ),
    ['iptables -t filter -A LOGDROP -j DROP'],
  );
  t.deepEqual(dropsIn(filter('-A FW -j DROP')), []);
  t.deepEqual(
    dropsIn(
      filter('-A FORWARD -j FW', '-A FW -s 10.5.0.0/16 -j RETURN', '-A FW -j DROP', '-A FORWARD -j ACCEPT'),
    ),
    [],
  );
});

test('a drop counts when it concerns a part of the pool, and not when it concerns others', (t) => {
  t.deepEqual(
    dropsIn(
      filter(
        '-A FORWARD -s 10.5.7.0/24 -p tcp -m tcp --dport 22 -j REJECT --reject-with icmp-port-unreachable',
      ),
    ).length,
    1,
  );
  for (const rule of [
    '-A FORWARD -s 10.6.0.0/16 -j DROP',
    '-A FORWARD -i eth1 -j DROP',
    '-A FORWARD ! -i eth+ ! -i docker0 -j DROP',
    '-A FORWARD -m conntrack --ctstate INVALID -j DROP',
    '-A FORWARD -d 10.5.1.9/32 -s 10.5.1.8/32 -j DROP',
  ]) {
    t.deepEqual(dropsIn(filter(rule)), [], rule);
  }
});

test('an accept before a drop saves only what it covers', (t) => {
  t.deepEqual(dropsIn(filter('-A FORWARD -s 10.0.0.0/8 -j ACCEPT', '-A FORWARD -j DROP')), []);
  t.is(dropsIn(filter('-A FORWARD -s 10.5.0.0/16 -p tcp -j ACCEPT', '-A FORWARD -j DROP')).length, 1);
});

test('a rule that cannot be understood is not blamed', (t) => {
  t.deepEqual(dropsIn(filter('-A FORWARD -m set --match-set blocked src -j DROP')), []);
});
