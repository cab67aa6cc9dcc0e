/** Milliseconds on CLOCK_MONOTONIC: the same clock in every process of this machine, unlike `performance.now()`. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
