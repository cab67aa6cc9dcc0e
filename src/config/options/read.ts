/** Turns the texts of a command line and of the environment into the values of a table's options. */
import { OptionError } from '../../errors.js';
import { nearest } from '../nearest.js';
import { type OptionSpec, type OptionTable, type OptionValues, variablesOf } from './table.js';

/** The texts given on the command line, by flag, in order. */
export type GivenFlags = ReadonlyMap<string, readonly string[]>;
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadOptions<Table extends OptionTable> {
  readonly values: OptionValues<Table>;
  /** What was accepted without effect. */
  readonly warnings: readonly string[];
}

/**
 * The command line wins over `LODEND_…`, that over `FLANNELD_…`; an empty variable is an unset one, and gives a
 * repeatable option one value. Throws OptionError, which names the flag or the variable, and never a secret.
 */
export function readOptions<Table extends OptionTable>(
  table: Table,
  flags: GivenFlags,
  environment: Environment,
): ReadOptions<Table> {
  const values: Record<string, unknown> = {};
  const warnings: string[] = [];
  for (const [name, spec] of Object.entries(table)) {
    const given = givenTexts(spec, flags, environment);
    const parsed = given.texts.map((text) => parseText(spec, given.written, text));
    if (spec.ignored === undefined) {
      values[name] = spec.repeatable ? parsed : given.texts.length > 0 ? parsed.at(-1) : spec.initial;
    } else if (given.texts.length > 0) {
      warnings.push(`${given.written} has no effect: ${spec.ignored}`);
    }
  }
  return { values: values as OptionValues<Table>, warnings };
}

/** A warning for each variable that looks like one of ours and is none. */
export function unknownVariables(table: OptionTable, environment: Environment): string[] {
  const known = Object.values(table).flatMap(variablesOf);
  return Object.keys(environment)
    .filter((variable) => /^(LODEND|FLANNELD)_/.test(variable) && !known.includes(variable))
    .map((variable) => {
      const [prefix] = variable.split('_', 1);
      const name = (whole: string) => whole.slice(prefix!.length + 1);
      const alike = known.filter((candidate) => candidate.startsWith(`${prefix}_`)).map(name);
      const meant = nearest(name(variable), alike);
      return `${variable} is not a known variable${meant ? `; did you mean ${prefix}_${meant}?` : ''}`;
    });
}

interface GivenTexts {
  /** The flag or the variable, as the user knows it. */
  readonly written: string;
  readonly texts: readonly string[];
}

function givenTexts(spec: OptionSpec, flags: GivenFlags, environment: Environment): GivenTexts {
  const texts = flags.get(spec.flag)?.filter((text) => text !== '' || !spec.kind.emptyIsUnset);
  if (texts?.length) return { written: `--${spec.flag}`, texts };
  const variable = variablesOf(spec).find((candidate) => environment[candidate]);
  return variable ? { written: variable, texts: [environment[variable]!] } : { written: '', texts: [] };
}

function parseText(spec: OptionSpec, written: string, text: string): unknown {
  const value = spec.kind.parse(text);
  const shown = spec.secret ? 'its value' : `"${text}"`;
  if (value === undefined) {
    throw new OptionError(
      written,
      `${written}: ${shown} is not acceptable, accepted is ${spec.kind.accepts}`,
    );
  }
  const refused = spec.refuse?.(value);
  if (refused !== undefined) throw new OptionError(written, `${written}: ${refused}`);
  return value;
}
