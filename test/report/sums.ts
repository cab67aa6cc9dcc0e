/**
 * Reads the sums out of AVA's report. AVA writes them last, below a rule, but says how many passed only when none
 * failed; in that case the ticks are counted (a plain Linux console gets another tick). TAP would be easier to count and has neither excerpts nor stacks.
 */
export interface Sums {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const FAILURES =
  /^ *(\d+) (?:tests? failed|hooks? failed|uncaught exceptions?|unhandled rejections?|tests? remained pending)/;
const SKIPS = /^ *(\d+) tests? (?:skipped|todo)$/;
const PASSES = /^ *(\d+) (?:tests? passed|known failures?)$/;

/** `report` is what AVA printed, without colours; `exitCode` makes a failure of what the sums do not tell. */
export function readSums(report: string, exitCode: number): Sums {
  const lines = report.split('\n');
  const sums = lines.slice(lines.findLastIndex((line) => /^ *─+$/.test(line)) + 1);
  const add = (pattern: RegExp) =>
    sums.reduce((total, line) => total + Number(pattern.exec(line)?.[1] ?? 0), 0);
  const failed = add(FAILURES);
  const ticks = lines.filter((line) => /^ {2}[✔√] /.test(line)).length;
  return {
    passed: sums.some((line) => /^ *\d+ tests? passed$/.test(line)) ? add(PASSES) : ticks,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: add(SKIPS),
  };
}

export function formatSums(sums: Sums): string {
  return `${sums.passed} passed, ${sums.failed} failed, ${sums.skipped} skipped`;
}
