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
import { named, runProgram } from '../src/lab/program.js';
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

With the environment variable FLANNELD naming a flanneld, that is measured too.
`;

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

process.exitCode = await runProgram({
  usage: USAGE,
  flags: { quick: { type: 'boolean' }, json: { type: 'string' } },
  takesWords: true,
  read: ({ values: { quick = false, json }, words }) => ({
    quick,
    json,
    figures: named(words, 'figure', FIGURES),
  }),
  async run({ quick, json, figures }, signal) {
    const rows = await measureAll(figures, benchOf(quick, signal));
    if (json !== undefined) await writeFile(json, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`);
    process.stdout.write(`${formatTable(rows)}\n`);
    return 0;
  },
});
