/**
 * Runs the fault suite, or the groups that are named, and prints its table:
 *
 *     npm run faults
 *     npm run faults -- etcd wipes
 *     LODEN_FAULT_TTLS=30 npm run faults -- etcd     outages of thirty lease TTLs
 */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { FAULT_GROUPS } from './all-groups.js';
import { RESULTS, readResults } from './results.js';
import { formatResults } from './table.js';

const RUN = fileURLToPath(new URL('../report/run.js', import.meta.url));

const names = process.argv.slice(2);
const unknown = names.find((name) => !FAULT_GROUPS.some((group) => group.name === name));
if (unknown !== undefined) {
  process.stderr.write(
    `there is no group ${unknown}; there is: ${FAULT_GROUPS.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}
// A Ctrl-C reaches the run by itself; stay for what there is to tell.
process.on('SIGINT', () => {});
await rm(RESULTS, { recursive: true, force: true });
const files = (names.length === 0 ? ['*'] : names).map((name) => `dist/test/faults/${name}.test.js`);
const { exitCode } = await execa(process.execPath, [RUN, '--timeout=600s', ...files], {
  stdio: 'inherit',
  reject: false,
});
process.stdout.write(`\n${formatResults(await readResults(FAULT_GROUPS.map(({ name }) => name)))}\n`);
process.exitCode = exitCode ?? 1;
