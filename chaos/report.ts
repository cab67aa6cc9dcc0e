import type { RoundReport } from './round.js';

export interface ChaosReport {
  readonly seed: number;
  readonly backend: string;
  readonly seconds: number;
  readonly rounds: readonly RoundReport[];
  /** What must not be, a sentence each; none when every promise was kept. */
  readonly violations: readonly string[];
}

export function summarize({ seed, backend, seconds, rounds, violations }: ChaosReport): string {
  const events = rounds.flatMap((round) => round.events).length;
  const waits = rounds.flatMap(({ secondsUntilWhole }) => secondsUntilWhole ?? []);
  const pings = rounds.flatMap((round) => round.pings ?? []);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const sent = sum(pings.map((count) => count.sent));
  const lost = sum(pings.map((count) => count.lost));
  return `seed ${seed}, ${backend}: ${events} events in ${rounds.length} rounds, ${seconds} s
whole again after ${Math.max(0, ...waits).toFixed(1)} s at the longest
${lost} of ${sent} pings lost in the ${pings.length} rounds in which none may be
${violations.length === 0 ? 'every promise was kept' : `BROKEN:\n${violations.map((text) => `- ${text}`).join('\n')}`}
`;
}
