/** The tables on the pages are of the tests that there are. */
import test from 'ava';
import { read } from '../docs/blocks.js';
import { FAULT_GROUPS } from './all-groups.js';
import { formatResults, HEADINGS } from './table.js';

interface TableRow {
  /** And over which backend. */
  readonly fault: string;
  /** Between others. */
  readonly lost: string;
  readonly line: string;
}

/** The rows of the page's table. */
function rowsOf(page: string): TableRow[] {
  const lines = read(page).split('\n');
  const begin = lines.indexOf(`| ${HEADINGS.join(' | ')} |`);
  const end = lines.indexOf('', begin);
  return lines.slice(begin + 2, end).map((line) => {
    const [what, backend, lost = ''] = line.replace(/^\| | \|$/g, '').split(' | ');
    return { fault: `${what}, ${backend}`, lost, line };
  });
}

const faults = FAULT_GROUPS.flatMap(({ backend, faults }) => faults.map(({ what }) => `${what}, ${backend}`));

test('no fault is there twice', (t) => {
  t.is(new Set(faults).size, faults.length);
});

test('the page of faults has a row for each fault that is tested, and no other', (t) => {
  t.deepEqual(
    rowsOf('docs/faults.md').map(({ fault }) => fault),
    faults,
  );
});

test('the README quotes rows of that page', (t) => {
  const rows = rowsOf('docs/faults.md').map(({ line }) => line);
  const quoted = rowsOf('README.md').map(({ line }) => line);
  t.true(quoted.length > 3);
  t.deepEqual(
    quoted.filter((line) => !rows.includes(line)),
    [],
  );
});

test('the page quotes a run in which no packet was lost between hosts that nothing befell', (t) => {
  for (const { fault, lost } of rowsOf('docs/faults.md')) t.regex(lost, /^0 of [\d,]+$/, fault);
});

test('a result is a row', (t) => {
  const result = { what: 'x', backend: 'vxlan', sent: 1234, lost: 0, secondsUntilWhole: 0.3 };
  t.is(
    formatResults([result, { ...result, sentThrough: 100, lostThrough: 7 }]),
    `| ${HEADINGS.join(' | ')} |
| --- | --- | --- | --- | --- |
| x | vxlan | 0 of 1,234 |  | 0.3 s |
| x | vxlan | 0 of 1,234 | 7 of 100 | 0.3 s |`,
  );
});
