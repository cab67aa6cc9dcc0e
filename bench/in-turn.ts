import type { Bench } from './figure.js';

/** Whom to measure, by name. Each call is one run; undefined is one who does not take part. */
export type Contenders<T> = Readonly<Record<string, (() => Promise<T>) | undefined>>;

/** What each one's runs gave, in their order. */
export type Runs<T> = Readonly<Record<string, readonly T[]>>;

interface Race<T> {
  /** For progress: what is measured. */
  readonly what: string;
  readonly contenders: Contenders<T>;
  /** A run's result in words. */
  readonly tell: (result: T) => string;
  /** The bench's own when absent. */
  readonly times?: number;
}

/**
 * Lets the contenders run one after the other, again and again, so that what slows the machine down for a while slows
 * all of them down; every other time in the reverse order, so that none always comes first. Rejects when a run does.
 */
export async function inTurn<T>(bench: Bench, race: Race<T>): Promise<Runs<T>> {
  const { what, contenders, tell, times = bench.runs } = race;
  const results: Record<string, T[]> = {};
  const order = Object.entries(contenders);
  for (let time = 1; time <= times; time++) {
    for (const [name, run] of order) {
      if (run === undefined) continue;
      bench.signal.throwIfAborted();
      const result = await run();
      results[name] = [...(results[name] ?? []), result];
      bench.say(`${what}, ${time} of ${times}: ${name} ${tell(result)}`);
    }
    order.reverse();
  }
  return results;
}
