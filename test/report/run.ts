/**
 * Runs AVA with our arguments passed on and its report shown, clears away what tests left behind, and ends with one
 * line for machines. The exit code is AVA's.
 */
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { RUN_MARK, sweep } from '../../src/lab/sweep.js';
import { formatSums, readSums } from './sums.js';

const AVA = 'node_modules/.bin/ava';

await sweep();
/** Tests' temporary files, so that all of them go when it is swept. */
const folder = `${tmpdir()}/loden-test-${process.pid}`;
await mkdir(folder);
const ava = execa(AVA, process.argv.slice(2), {
  reject: false,
  stdin: 'ignore',
  stdout: ['inherit', 'pipe'],
  stderr: 'inherit',
  env: {
    [RUN_MARK]: String(process.pid),
    TMPDIR: folder,
    // AVA sees a pipe; what it writes ends on our terminal if there is one.
    ...(process.stdout.isTTY && process.env.NO_COLOR === undefined ? { FORCE_COLOR: '1' } : {}),
  },
});
// A Ctrl-C reaches AVA by itself; stay to clear up after it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => ava.kill('SIGTERM'));

const result = await ava;
const exitCode = result.exitCode ?? 1;
const left = (await sweep(process.pid)).filter((name) => name !== basename(folder));
if (left.length > 0) console.log(`  Left behind by tests and cleared away: ${left.join(', ')}\n`);
console.log(formatSums(readSums(stripVTControlCharacters(result.stdout), exitCode)));
process.exitCode = exitCode;
