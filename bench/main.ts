/**
 * Measures what the README and docs/benchmarks.md say, in network namespaces of its own:
 *
 *     npm run bench                          all figures
 *     npm run bench -- peers throughput      some
 *     npm run bench -- --json figures.json   every run's value too
 *
 * Progress goes to standard error, one table to standard output.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { LodenError } from '../src/errors.js';
import { sweep } from '../src/lab/sweep.js';
import { claims } from './claims.js';
import type { Bench, Figure, Row } from './figure.js';
import { peers } from './peers.js';
import { propagation } from './propagation.js';
import { start } from './start.js';
import { formatTable } from './table.js';
import { throughput } from './throughput.js';
import { udp } from './udp.js';

const FIGURES: readonly Figure[] = [start, peers, propagation, throughput, udp, claims];

const USAGE = `Usage: npm run bench -- [--quick] [--json FILE] [FIGURE...]

Figures, all when none is named:
${FIGURES.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n')}

  --quick      one run of each, small sizes: to see that it works
  --json FILE  write every run's value too
  --help       print this

With the environment variable FLANNELD naming a flanneld, the same is measured for that.
`;

async function main(signal: AbortSignal): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, json: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const figures = chosen(positionals);
  if (process.getuid?.() !== 0) throw new UsageError('benchmarks make network namespaces: run them as root');
  await sweep();
  const rows = await measureAll(figures, benchOf(values.quick === true, signal));
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`);
  process.stdout.write(`${formatTable(rows)}\n`);
}

function chosen(names: readonly string[]): readonly Figure[] {
  const unknown = names.find((name) => !FIGURES.some((figure) => figure.name === name));
  if (unknown !== undefined) throw new UsageError(`there is no figure ${unknown}\n\n${USAGE}`);
  return names.length === 0 ? FIGURES : FIGURES.filter((figure) => names.includes(figure.name));
}

async function measureAll(figures: readonly Figure[], bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const figure of figures) {
    bench.say(`${figure.name}: ${figure.about}`);
    rows.push(...(await figure.measure(bench)));
  }
  return rows;
}

function benchOf(quick: boolean, signal: AbortSignal): Bench {
  const began = performance.now();
  return {
    signal,
    quick,
    runs: quick ? 1 : 3,
    flanneld: Boolean(process.env.FLANNELD),
    say(text) {
      const seconds = ((performance.now() - began) / 1000).toFixed(0).padStart(4);
      process.stderr.write(`${seconds} s  ${text}\n`);
    },
  };
}

const machine = {
  processors: availableParallelism(),
  memoryMb: Math.round(totalmem() / 2 ** 20),
  kernel: release(),
  node: process.version,
};

class UsageError extends Error {}

const stop = new AbortController();
// Not `once`: execa ends the process at a signal that, by then, nobody else listens for.
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
try {
  await main(stop.signal);
} catch (error) {
  // What an abort interrupts throws an error of its own that says only that it was aborted.
  const { message, stack } = (stop.signal.aborted ? stop.signal.reason : error) as Error;
  const known = error instanceof LodenError || error instanceof UsageError || stop.signal.aborted;
  process.stderr.write(`${known ? message : stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
