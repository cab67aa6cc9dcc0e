import type { Row, Target, Unit } from './figure.js';
import type { Runs } from './in-turn.js';

interface Comparison<T> {
  readonly figure: string;
  readonly unit: Unit;
  readonly runs: Runs<T>;
  /** The number that this figure is about; undefined leaves the contender out. */
  readonly value: (run: T) => number | undefined;
  /** Stands in the first row. */
  readonly target?: Target | undefined;
  /** By the name of the contender that loden is to be compared with. */
  readonly targets?: Readonly<Record<string, Target>>;
}

/** loden against each of the others: a row for each, or one row when there are none. */
export function compare<T>({ figure, unit, runs, value, target, targets = {} }: Comparison<T>): Row[] {
  const numbers = Object.entries(runs).map(([name, results]) => ({
    name,
    runs: results.map(value).filter((number) => number !== undefined),
  }));
  const loden = numbers.find(({ name }) => name === 'loden')?.runs ?? [];
  const others = numbers.filter((contender) => contender.name !== 'loden' && contender.runs.length > 0);
  if (others.length === 0) return [{ figure, unit, loden, ...(target && { target }) }];
  return others.map((peer, index) => {
    const aim = targets[peer.name] ?? (index === 0 ? target : undefined);
    return { figure, unit, loden, peer, ...(aim && { target: aim }) };
  });
}
