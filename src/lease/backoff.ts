export interface Backoff {
  readonly firstMs: number;
  readonly capMs: number;
}

/**
 * How long to wait after the n-th failure in a row, counted from 0: doubling up to the cap, and of that a random part
 * of at least the half, so that a thousand hosts that failed at once do not come back at once.
 */
export function backoffMs(failures: number, { firstMs, capMs }: Backoff, random: () => number): number {
  const full = Math.min(firstMs * 2 ** failures, capMs);
  return (full * (1 + random())) / 2;
}
