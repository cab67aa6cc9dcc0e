/** The middle one; of an even number, the mean of the two in the middle. NaN when there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? Number.NaN : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that at least `percent` per cent of the values do not exceed. NaN when there is none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil((percent / 100) * sorted.length) - 1, 0)] ?? Number.NaN;
}

/**
 * The median of run against run. Those of one turn met the machine in the same mood, so this is steadier than the ratio
 * of two medians. Runs without a partner are left out.
 */
export function medianRatio(values: readonly number[], others: readonly number[]): number {
  const pairs = values.slice(0, others.length);
  return median(pairs.map((value, index) => value / others[index]!));
}
