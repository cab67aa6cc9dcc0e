/** The results as the table that the pages quote. */
import type { FaultResult } from './fault.js';

export const HEADINGS = ['What happens', 'Backend', 'Lost', 'Lost to and from h1', 'Whole after'];

/** Markdown. */
export function formatResults(results: readonly FaultResult[]): string {
  const rows = results.map(({ what, backend, sent, lost, sentThrough, lostThrough, secondsUntilWhole }) => [
    what,
    backend,
    ofSent(lost, sent),
    sentThrough === undefined ? '' : ofSent(lostThrough ?? 0, sentThrough),
    `${secondsUntilWhole} s`,
  ]);
  return [HEADINGS, HEADINGS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function ofSent(lost: number, sent: number): string {
  return `${lost} of ${sent.toLocaleString('en')}`;
}
