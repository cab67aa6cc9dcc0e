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
import { parseArgs } from 'node:util';
import { LodenError } from '../src/errors.js';
import { sweep } from '../src/lab/sweep.js';
import { type ChaosReport, summarize } from './report.js';
import { type RunOptions, run } from './run.js';

const USAGE = `Usage: npm run chaos -- [--minutes N] [--rounds N] [--seed N] [--backend TYPE] [--json FILE]

  --minutes N     begin no further round after this time (default 10)
  --rounds N      nor after this many
  --seed N        repeat the events of a run that had this seed
  --backend TYPE  vxlan (default), host-gw or udp
  --json FILE     write all that happened, and what came of it
  --help          print this
`;

class UsageError extends Error {}

function wholeNumber(flag: string, text: string | undefined, absent: number): number {
  const value = text === undefined ? absent : Number(text);
  if (value >= 0 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY)) return value;
  throw new UsageError(`--${flag} takes a whole number, not ${text}`);
}

function readOptions(): { options: RunOptions; json: string | undefined } | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      minutes: text,
      rounds: text,
      seed: text,
      backend: text,
      json: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) return undefined;
  const options = {
    seed: wholeNumber('seed', values.seed, randomInt(2 ** 32)),
    minutes: wholeNumber('minutes', values.minutes, 10),
    rounds: wholeNumber('rounds', values.rounds, Number.POSITIVE_INFINITY),
    backend: values.backend ?? 'vxlan',
  };
  return { options, json: values.json };
}

async function main(signal: AbortSignal): Promise<ChaosReport | undefined> {
  const read = readOptions();
  if (read === undefined) {
    process.stdout.write(USAGE);
    return undefined;
  }
  if (process.getuid?.() !== 0) throw new UsageError('hosts are network namespaces: run this as root');
  await sweep();
  const report = await run(read.options, signal, (text) => process.stderr.write(`${text}\n`));
  if (read.json !== undefined) await writeFile(read.json, `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(summarize(report));
  return report;
}

const stop = new AbortController();
// Not `once`: execa ends the process at a signal that, by then, nobody else listens for.
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
try {
  const report = await main(stop.signal);
  process.exitCode = report === undefined || report.violations.length === 0 ? 0 : 1;
} catch (error) {
  // What an abort interrupts throws an error of its own that says only that it was aborted.
  const { message, stack } = (stop.signal.aborted ? stop.signal.reason : error) as Error;
  const known = error instanceof LodenError || error instanceof UsageError || stop.signal.aborted;
  process.stderr.write(`${known ? message : stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
