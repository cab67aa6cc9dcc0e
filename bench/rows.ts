import type { Row, Target, Unit } from './figure.js';
import type { Runs } from './in-turn.js';

interface Comparison<T> {
  readonly figure: string;
  readonly unit: Unit;
  readonly runs: Runs<T>;
  /** The number that this figure is about; undefined leaves the contender out. */
  readonly value: (run: T) => number | undefined;
  readonly target?: Target | undefined;
}

/** loden against each of the others: a row for each, or one row when there are none. The target stands in the first. */
export function compare<T>({ figure, unit, runs, value, target }: Comparison<T>): Row[] {
  const numbers = Object.entries(runs).map(([name, results]) => ({
    name,
    runs: results.map(value).filter((number) => number !== undefined),
  }));
  const loden = numbers.find(({ name }) => name === 'loden')?.runs ?? [];
  const others = numbers.filter((contender) => contender.name !== 'loden' && contender.runs.length > 0);
  const [first, ...more] = others;
  return [
    { figure, unit, loden, ...(first && { peer: first }), ...(target && { target }) },
    ...more.map((peer) => ({ figure, unit, loden, peer })),
  ];
}
