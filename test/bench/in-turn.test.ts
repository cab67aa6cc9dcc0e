import test from 'ava';
import type { Bench } from '../../bench/figure.js';
import { inTurn } from '../../bench/in-turn.js';

const told: string[] = [];
const bench: Bench = {
  signal: new AbortController().signal,
  runs: 2,
  quick: false,
  flanneld: false,
  say: (text) => told.push(text),
};

test('contenders take turns, in reverse order every other time, and one who is absent has no run', async (t) => {
  const order: string[] = [];
  const contender = (name: string) => async () => order.push(name);
  const contenders = { loden: contender('loden'), floor: contender('floor'), flanneld: undefined };
  const runs = await inTurn(bench, { what: 'x', contenders, tell: String });
  t.deepEqual(order, ['loden', 'floor', 'floor', 'loden']);
  t.deepEqual(runs, { loden: [1, 4], floor: [2, 3] });
  t.is(told[0], 'x, 1 of 2: loden 1');
});

test('nobody gets a turn after an interrupt', async (t) => {
  const interrupt = new AbortController();
  let runs = 0;
  const loden = async () => {
    runs += 1;
    interrupt.abort(new Error('Ctrl-C'));
  };
  const race = { what: 'x', contenders: { loden }, tell: String };
  await t.throwsAsync(inTurn({ ...bench, signal: interrupt.signal }, race), { message: 'Ctrl-C' });
  t.is(runs, 1);
});
