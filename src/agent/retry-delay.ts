/** Milliseconds: 100, doubling up to 5 s, as flannel waits between its tries. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;

/** How long to wait after so many failures in a row, counted from 0; a random half of it is left out. */
export function retryDelay(failures: number, random: () => number = Math.random): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** failures, LONGEST_DELAY_MS);
  return delay * (0.5 + random() / 2);
}
