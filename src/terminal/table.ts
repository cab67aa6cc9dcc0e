import { printable } from '../printable.js';

/** A cell is its text; its colour is put on after the width has been reckoned with. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Columns as wide as their widest cell, two spaces between, nothing at the ends of lines. Whatever a cell holds, it is one line. */
export function formatTable(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [titles.map((text): Cell => ({ text })), ...rows.map((row) => row.map(onOneLine))];
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]!.text.length)));
  return lines.map((line) => formatLine(line, widths)).join('\n');
}

function onOneLine(cell: Cell): Cell {
  return { ...cell, text: printable(cell.text) };
}

function formatLine(cells: readonly Cell[], widths: readonly number[]): string {
  return cells
    .map(({ text, paint = (plain) => plain }, column) => {
      const last = column === cells.length - 1;
      return paint(text) + (last ? '' : ' '.repeat(widths[column]! - text.length));
    })
    .join('  ')
    .trimEnd();
}
