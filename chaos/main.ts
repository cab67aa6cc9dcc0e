/**
 * Breaks a network of five hosts and three members of etcd at random, again and again, and looks whether it keeps its
 * promises:
 *
 *     npm run chaos -- --minutes 10             a seed of its own, which it prints
 *     npm run chaos -- --minutes 10 --seed 7    what happened with that seed, again
 *
 * Progress goes to standard error, a summary to standard output. The exit code is 0 when every promise was kept.
 */
import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { LAB_BACKENDS } from '../src/lab/options.js';
import { runProgram, UsageError } from '../src/lab/program.js';
import { summarize } from './report.js';
import { run } from './run.js';

const USAGE = `Usage: npm run chaos -- [OPTION...]

  --minutes N     begin no further round after this time (default 10)
  --rounds N      nor after this many
  --seed N        repeat the events of a run that had this seed
  --backend TYPE  ${LAB_BACKENDS.join(', ')}; the first when absent
  --json FILE     write all that happened, and what came of it
  --help          print this
`;

function wholeNumber(flag: string, text: string | undefined, absent: number): number {
  if (text === undefined) return absent;
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageError(`--${flag} takes a whole number, not ${text}`);
}

function backendType(text: string): string {
  if (LAB_BACKENDS.includes(text)) return text;
  throw new UsageError(`--backend takes ${LAB_BACKENDS.join(', ')}, not ${text}`);
}

const text = { type: 'string' } as const;

process.exitCode = await runProgram({
  usage: USAGE,
  flags: { minutes: text, rounds: text, seed: text, backend: text, json: text },
  takesWords: false,
  read: ({ values: { seed, minutes, rounds, backend = LAB_BACKENDS[0]!, json } }) => ({
    seed: wholeNumber('seed', seed, randomInt(2 ** 32)),
    minutes: wholeNumber('minutes', minutes, 10),
    rounds: wholeNumber('rounds', rounds, Number.POSITIVE_INFINITY),
    backend: backendType(backend),
    json,
  }),
  async run({ json, ...options }, signal) {
    const report = await run(options, signal, (line) => process.stderr.write(`${line}\n`));
    if (json !== undefined) await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
    process.stdout.write(summarize(report));
    return report.violations.length === 0 ? 0 : 1;
  },
});
