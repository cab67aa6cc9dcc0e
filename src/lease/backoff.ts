/** Milliseconds to wait before the next try, at least: short enough not to be noticed. */
const FIRST_MS = 100;

/**
 * How long to wait after the n-th failure in a row, counted from 0: doubling up to `capMs`, and of that a random part
 * of at least the half, so that a thousand hosts that lost etcd at once do not come back at once.
 */
export function backoffMs(failures: number, capMs: number, random: () => number): number {
  const full = Math.min(FIRST_MS * 2 ** failures, capMs);
  return (full * (1 + random())) / 2;
}
