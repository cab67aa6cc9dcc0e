import type { MatrixEntry } from '../../src/lab/ping.js';
import type { LabStatus } from '../../src/lab/status.js';
import { formatTable } from '../../src/terminal/table.js';
import type { Terminal } from '../../src/terminal/terminal.js';

type Paint = Terminal['paint'];

/** Beyond this a matrix does not fit 80 columns. */
const MOST_COLUMNS = 10;

/** The hosts of a lab and its matrix, at most 80 columns wide. */
export function formatStatus(status: LabStatus, paint: Paint): string {
  const rows = status.hosts.map((host) =>
    [
      host.name,
      host.address,
      host.daemon,
      host.container === undefined ? '-' : `${host.container.name} ${host.container.address}`,
    ].map((text) => ({ text })),
  );
  return [
    `Lab ${status.name}: ${status.backend} over ${status.network}, etcd at ${status.etcd}`,
    '',
    formatTable(['HOST', 'ADDRESS', 'DAEMON', 'CONTAINER'], rows),
    '',
    formatMatrix(status.pings, paint),
  ].join('\n');
}

/** Round trips from the row to the column; for many containers, only who does not reach whom. */
export function formatMatrix(pings: readonly MatrixEntry[], paint: Paint): string {
  if (pings.length === 0) return 'There are no two containers to ping each other.';
  const names = [...new Set(pings.map((entry) => entry.from))];
  const body = names.length > MOST_COLUMNS ? unreached(pings, paint) : matrix(names, pings, paint);
  return [...body, verdict(pings, paint)].join('\n');
}

function matrix(names: readonly string[], pings: readonly MatrixEntry[], paint: Paint): string[] {
  const cell = (from: string, to: string) => {
    const entry = pings.find((ping) => ping.from === from && ping.to === to);
    if (entry === undefined) return '-'.padStart(7);
    const text = entry.roundTripMs === undefined ? 'lost' : entry.roundTripMs.toFixed(2);
    return paint(text.padStart(7), isWhole(entry) ? 'green' : 'red');
  };
  const head = ['ms  ', ...names.map((name) => name.padStart(7))].join('');
  return [head, ...names.map((from) => from.padEnd(4) + names.map((to) => cell(from, to)).join(''))];
}

function unreached(pings: readonly MatrixEntry[], paint: Paint): string[] {
  return pings
    .filter((entry) => !isWhole(entry))
    .map((entry) =>
      paint(`${entry.from} to ${entry.to}: ${entry.received} of ${entry.sent} came back`, 'red'),
    );
}

function verdict(pings: readonly MatrixEntry[], paint: Paint): string {
  const whole = pings.filter(isWhole).length;
  return whole === pings.length
    ? paint(`All ${whole} ways are open.`, 'green')
    : paint(`${whole} of ${pings.length} ways are open.`, 'red');
}

function isWhole(entry: MatrixEntry): boolean {
  return entry.received === entry.sent;
}
