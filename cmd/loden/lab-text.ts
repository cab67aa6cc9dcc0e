import { styleText } from 'node:util';
import type { MatrixEntry } from '../../src/lab/ping.js';
import type { LabStatus } from '../../src/lab/status.js';

type Colour = 'green' | 'red' | 'bold' | 'dim';

/** Beyond this a matrix does not fit 80 columns. */
const MOST_COLUMNS = 10;

/** For a terminal, and as it is for anything else. */
export function paint(colour: Colour, text: string, colours: boolean): string {
  return colours ? styleText(colour, text, { validateStream: false }) : text;
}

/** The hosts of a lab and its matrix, at most 80 columns wide. */
export function formatStatus(status: LabStatus, colours: boolean): string {
  const rows = status.hosts.map((host) => [
    host.name,
    host.address,
    host.daemon,
    host.container === undefined ? '-' : `${host.container.name} ${host.container.address}`,
  ]);
  return [
    `Lab ${status.name}: ${status.backend} over ${status.network}, etcd at ${status.etcd}`,
    '',
    ...columns([['HOST', 'ADDRESS', 'DAEMON', 'CONTAINER'], ...rows]),
    '',
    formatMatrix(status.pings, colours),
  ].join('\n');
}

/** Round trips from the row to the column; for many containers, only who does not reach whom. */
export function formatMatrix(pings: readonly MatrixEntry[], colours: boolean): string {
  if (pings.length === 0) return 'There are no two containers to ping each other.';
  const names = [...new Set(pings.map((entry) => entry.from))];
  const body = names.length > MOST_COLUMNS ? unreached(pings, colours) : matrix(names, pings, colours);
  return [...body, verdict(pings, colours)].join('\n');
}

function matrix(names: readonly string[], pings: readonly MatrixEntry[], colours: boolean): string[] {
  const cell = (from: string, to: string) => {
    const entry = pings.find((ping) => ping.from === from && ping.to === to);
    if (entry === undefined) return '-'.padStart(7);
    const text = entry.roundTripMs === undefined ? 'lost' : entry.roundTripMs.toFixed(2);
    return paint(isWhole(entry) ? 'green' : 'red', text.padStart(7), colours);
  };
  const head = ['ms  ', ...names.map((name) => name.padStart(7))].join('');
  return [head, ...names.map((from) => from.padEnd(4) + names.map((to) => cell(from, to)).join(''))];
}

function unreached(pings: readonly MatrixEntry[], colours: boolean): string[] {
  return pings
    .filter((entry) => !isWhole(entry))
    .map((entry) =>
      paint('red', `${entry.from} to ${entry.to}: ${entry.received} of ${entry.sent} came back`, colours),
    );
}

function verdict(pings: readonly MatrixEntry[], colours: boolean): string {
  const whole = pings.filter(isWhole).length;
  return whole === pings.length
    ? paint('green', `All ${whole} ways are open.`, colours)
    : paint('red', `${whole} of ${pings.length} ways are open.`, colours);
}

function isWhole(entry: MatrixEntry): boolean {
  return entry.received === entry.sent;
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
