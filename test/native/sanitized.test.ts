/** The packet path's C, under the compiler's sanitizers: on made-up input, and with its threads at work. */
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { compile } from './compiled.js';

/** What a sanitizer finds ends the program, so that it fails. */
const env = {
  ASAN_OPTIONS: 'abort_on_error=1',
  UBSAN_OPTIONS: 'abort_on_error=1',
  TSAN_OPTIONS: 'halt_on_error=1',
};
const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;

/** The numbers that a program prints, `name value name value`. */
async function run(t: ExecutionContext, target: string, ...args: readonly string[]) {
  t.timeout(120_000);
  const { stdout } = await execa(await compile(target), args, { env });
  t.log(stdout);
  const words = stdout.split(/\s+/);
  return (name: string) => Number(words[words.indexOf(name) + 1]);
}

test.serial('random packets, and a kernel that refuses what it likes, break no rule', async (t) => {
  const number = await run(t, 'fuzz', '20000');
  for (const name of [
    'gso_sends',
    'gso_refusals',
    'gro_receives',
    'merged_writes',
    'bad_checksums',
    'send_errors',
  ])
    t.true(number(name) > 0, name);
});

for (const sanitizer of ['threads', 'memory']) {
  asRoot(`under the sanitizer for ${sanitizer} packets flow while peers change and paths open`, async (t) => {
    const number = await run(t, `soak-${sanitizer}`, '4');
    t.true(number('swaps') > 10 && number('reopened') > 1);
  });

  test.serial(
    `under the sanitizer for ${sanitizer} no table of peers is freed that a thread reads`,
    async (t) => {
      const number = await run(t, `roster-${sanitizer}`, '2');
      t.true(number('swaps') > 100 && number('rounds') > 100);
    },
  );
}

asRoot('a million packets and a thousand tables of peers leave no memory behind', async (t) => {
  const number = await run(t, 'soak', '1', '1000000');
  t.true(number('packets') >= 1_000_000);
  t.true(number('swaps') > 1000);
  t.true(number('reopened') > 1);
  t.true(number('memory') < 16 << 10, 'bytes more than after the first second');
  t.is(number('descriptors'), 0);
});
