/** The rows as plain text: one table, columns padded with blanks, the target's verdict in words. */
import type { Row, Target, Unit } from './figure.js';
import { median, medianRatio } from './median.js';

const HEADINGS = ['FIGURE', 'LODEN', 'PEER', '', 'RATIO', 'TARGET'];
/** Columns with numbers. */
const RIGHT = new Set([1, 3, 4]);

export function formatTable(rows: readonly Row[]): string {
  const cells = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const pad = (text: string, column: number) =>
    RIGHT.has(column) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
  return cells.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

function cellsOf({ figure, unit, loden, peer, target }: Row): string[] {
  const value = median(loden);
  const ratio = peer && medianRatio(loden, peer.runs);
  return [
    figure,
    formatValue(value, unit),
    peer?.name ?? '',
    peer ? formatValue(median(peer.runs), unit) : '',
    ratio === undefined ? '' : formatNumber(ratio),
    target ? verdict(target, target.of === 'loden' ? value : ratio, unit) : '',
  ];
}

function verdict({ of, bound, value }: Target, reached: number | undefined, unit: Unit): string {
  const met = reached !== undefined && (bound === 'at most' ? reached <= value : reached >= value);
  const text = of === 'ratio' ? `ratio ${formatNumber(value)}` : formatValue(value, unit);
  return `${bound} ${text}: ${met ? 'met' : 'missed'}`;
}

/** Three significant digits; milliseconds become seconds from a thousand on. */
export function formatValue(value: number, unit: Unit): string {
  if (unit === 'ms' && value >= 1000) return `${formatNumber(value / 1000)} s`;
  return `${formatNumber(value)} ${unit}`.trimEnd();
}

function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
