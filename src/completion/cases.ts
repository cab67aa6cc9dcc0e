/** What bash's and zsh's scripts have in common: patterns of `case`, over words that have no quotes in them. */
import type { Place, Value } from './place.js';

/** Paths that are longer than the program's name, quoted: `'loden lab'|'loden lab up'`. */
export function deeperPaths(places: readonly Place[]): string {
  return (
    places
      .map(({ path }) => path)
      .filter((path) => path.includes(' '))
      .map(quoted)
      .join('|') || "''"
  );
}

interface ValueCase {
  /** `'loden lab up --backend'|…`: all flags that this may follow. */
  readonly pattern: string;
  readonly value: Value;
}

/** Flags with the same kind of value make one case. */
export function valueCases(places: readonly Place[]): ValueCase[] {
  const cases = new Map<string, { flags: string[]; value: Value }>();
  for (const { path, flags } of places) {
    for (const { name, value } of flags) {
      if (value === undefined) continue;
      const found = cases.get(String(value)) ?? { flags: [], value };
      found.flags.push(`${path} ${name}`);
      cases.set(String(value), found);
    }
  }
  return [...cases.values()].map(({ flags, value }) => ({ pattern: flags.map(quoted).join('|'), value }));
}

/** As one word of a shell: bash, zsh and fish agree on this much. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
