/** Runs the fault suite as tests, and prints the table that the pages quote. */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { named, runProgram } from '../../src/lab/program.js';
import { FAULT_GROUPS } from './all-groups.js';
import { RESULTS, readResults } from './results.js';
import { formatResults } from './table.js';

const RUN = fileURLToPath(new URL('../report/run.js', import.meta.url));

const USAGE = `Usage: npm run faults -- [GROUP...]

Groups, all when none is named: ${FAULT_GROUPS.map(({ name }) => name).join(', ')}

With the environment variable LODEN_FAULT_TTLS=30, outages last thirty lease TTLs.
`;

process.exitCode = await runProgram({
  usage: USAGE,
  flags: {},
  takesWords: true,
  read: ({ words }) => named(words, 'group', FAULT_GROUPS).map(({ name }) => name),
  async run(names, signal) {
    await rm(RESULTS, { recursive: true, force: true });
    const files = names.map((name) => `dist/test/faults/${name}.test.js`);
    const tests = execa(process.execPath, [RUN, '--timeout=600s', ...files], {
      stdio: 'inherit',
      reject: false,
    });
    // A Ctrl-C reaches them by itself.
    signal.addEventListener('abort', () => tests.kill('SIGTERM'));
    const { exitCode } = await tests;
    process.stdout.write(`\n${formatResults(await readResults(names))}\n`);
    signal.throwIfAborted();
    return exitCode ?? 1;
  },
});
