import { PassThrough } from 'node:stream';
import test from 'ava';
import { terminal } from '../../src/terminal/terminal.js';

function streams(isTTY: boolean) {
  const stream = () => Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY });
  return { stdin: stream(), stdout: stream(), stderr: stream() };
}

const { signal } = new AbortController();

test('colour is for a screen, unless NO_COLOR says otherwise', (t) => {
  t.is(terminal(streams(true), {}).paint('x', 'red'), '\u001b[31mx\u001b[39m');
  t.is(terminal(streams(true), { NO_COLOR: '1' }).paint('x', 'red'), 'x');
  t.is(terminal(streams(true), { TERM: 'dumb' }).paint('x', 'red'), 'x');
  t.is(terminal(streams(false), {}).paint('x', 'red'), 'x');
});

test('results and remarks go separate ways', (t) => {
  const io = streams(false);
  const { print, remark, clear } = terminal(io, {});
  print('result');
  remark('remark');
  clear();
  t.is(io.stdout.read(), 'result\n');
  t.is(io.stderr.read(), 'remark\n');
});

for (const [answer, agreed] of [
  ['y', true],
  ['Yes', true],
  ['', false],
  ['no', false],
  ['yesterday', false],
] as const) {
  test(`"${answer}" to a question is ${agreed ? 'a yes' : 'a no'}`, async (t) => {
    const io = streams(true);
    const asked = terminal(io, {}).confirm('Really?', signal);
    io.stdin.write(`${answer}\n`);
    t.is(await asked, agreed);
    t.is(io.stdout.read(), null);
  });
}

test('an end of input is a no', async (t) => {
  const io = streams(true);
  const asked = terminal(io, {}).confirm('Really?', signal);
  io.stdin.end();
  t.false(await asked);
});

test('a question ends with the signal', async (t) => {
  const end = new AbortController();
  const asked = terminal(streams(true), {}).confirm('Really?', end.signal);
  end.abort();
  await t.throwsAsync(asked);
});
