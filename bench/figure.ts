/** What is measured, and how it is told. A figure is one file of this folder and gives rows of the table. */

/** One figure's run: what the harness gives it. */
export interface Bench {
  /** Aborted by Ctrl-C: clean up and reject. */
  readonly signal: AbortSignal;
  /** How often each contender has its turn. */
  readonly runs: number;
  /** Small sizes, one run: to see that everything works, not to learn anything. */
  readonly quick: boolean;
  /** Whether the environment variable FLANNELD names a binary to compare with. */
  readonly flanneld: boolean;
  /** Progress. */
  say(text: string): void;
}

export interface Figure {
  readonly name: string;
  /** For `--help`. */
  readonly about: string;
  measure(bench: Bench): Promise<readonly Row[]>;
}

/** Milliseconds, megabytes of 2^20 bytes, gigabits per second, or a plain count. */
export type Unit = 'ms' | 'MB' | 'Gbit/s' | '';

export interface Row {
  readonly figure: string;
  readonly unit: Unit;
  /** One value per run, in the order of the runs; the table shows the median. */
  readonly loden: readonly number[];
  /** What was measured in turn with loden. */
  readonly peer?: { readonly name: string; readonly runs: readonly number[] };
  readonly target?: Target;
}

export interface Target {
  readonly of: 'loden' | 'ratio';
  readonly bound: 'at most' | 'at least';
  readonly value: number;
}
