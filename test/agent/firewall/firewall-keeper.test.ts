import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { FirewallKeeper } from '../../../src/agent/firewall/firewall-keeper.js';
import { FirewallError } from '../../../src/errors.js';
import type { Drop, Firewall, FirewallReport } from '../../../src/firewall/firewall.js';
import { waitFor } from '../../../src/lab/wait.js';
import { wishFor } from '../../firewall/wish.js';

const WISH = wishFor('10.5.0.0/16', '10.5.1.0/24');
const FINE: FirewallReport = { added: [], removed: [], drops: [] };
const DROP: Drop = { flow: 'in', rule: 'iptables -P FORWARD DROP', advice: 'none' };

/** A keeper on a firewall that answers with what `answers` holds, the last again and again. */
async function start(t: ExecutionContext, ...answers: (FirewallReport | Error)[]) {
  const lines: { msg: string; [field: string]: unknown }[] = [];
  let looks = 0;
  const firewall: Firewall = {
    apply: async () => {
      const answer = answers[Math.min(looks, answers.length - 1)]!;
      looks += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    check: async () => FINE,
    remove: async () => [],
    events: async function* () {},
  };
  const log = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
  const keeper = new FirewallKeeper({ firewall, wish: async () => WISH, resyncMs: 1, log });
  const stop = new AbortController();
  let ended = Promise.resolve();
  await new Promise<void>((resolve) => {
    ended = keeper.run(stop.signal, resolve);
  });
  t.teardown(async () => {
    stop.abort();
    await ended;
  });
  const untilLooks = (count: number) => waitFor(`${count} looks`, () => looks >= count);
  return { lines, untilLooks, messages: () => lines.map(({ msg }) => msg) };
}

test('a firewall that refuses is told of once, holds nothing up, and is tried again', async (t) => {
  const refusal = new FirewallError('iptables: no such program');
  const { messages, untilLooks } = await start(t, refusal, refusal, refusal, FINE);
  await untilLooks(5);
  t.deepEqual(messages(), ['cannot set firewall rules, trying again', 'firewall rules are in place']);
});

test('a rule that drops packets is told of when it stays, once, and when it is gone', async (t) => {
  const bad = { ...FINE, drops: [DROP] };
  const { lines, messages, untilLooks } = await start(t, FINE, bad, bad, bad, FINE);
  await untilLooks(6);
  t.deepEqual(messages(), [
    'firewall programmed',
    'a firewall rule drops packets between containers',
    'no firewall rule drops packets between containers any more',
  ]);
  t.like(lines[1], DROP);
});

test('a drop that the next look does not see, as while Docker starts, is not worth a word', async (t) => {
  const { messages, untilLooks } = await start(t, FINE, { ...FINE, drops: [DROP] }, FINE);
  await untilLooks(4);
  t.deepEqual(messages(), ['firewall programmed']);
});

test('what nobody expects to go wrong ends the daemon', async (t) => {
  const firewall: Firewall = {
    apply: async () => {
      throw new TypeError('a defect');
    },
    check: async () => FINE,
    remove: async () => [],
    events: async function* (signal) {
      await once(signal, 'abort');
      yield* [];
    },
  };
  const keeper = new FirewallKeeper({
    firewall,
    wish: async () => WISH,
    resyncMs: 1,
    log: pino({ level: 'silent' }),
  });
  await t.throwsAsync(keeper.run(new AbortController().signal, t.fail), { instanceOf: TypeError });
});
