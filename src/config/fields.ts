/**
 * A JSON object read as Go's encoding/json reads it: keys match whatever their case, the last of several wins, and
 * `null` leaves the default. It remembers what it was asked for, so that what nobody asked for can be pointed out.
 */
import { ConfigError } from '../errors.js';
import { type JsonObject, type JsonValue, shown } from '../json.js';
import { nearest } from './nearest.js';

export class Fields {
  /** How the fields are named to people: `Backend.` before those of the `Backend` object. */
  readonly #path: string;
  readonly #given = new Map<string, { spelt: string; value: JsonValue }>();
  readonly #known = new Map<string, string>();

  constructor(object: JsonObject, path = '') {
    this.#path = path;
    for (const [spelt, value] of Object.entries(object)) {
      this.#given.set(spelt.toLowerCase(), { spelt, value });
    }
  }

  field(name: string): JsonValue | undefined {
    const folded = name.toLowerCase();
    this.#known.set(folded, name);
    return this.#given.get(folded)?.value ?? undefined;
  }

  boolean(name: string, initial: boolean): boolean {
    const value = this.field(name) ?? initial;
    return typeof value === 'boolean' ? value : this.refuse(name, 'true or false');
  }

  text(name: string): string | undefined {
    const value = this.field(name);
    return value === undefined || typeof value === 'string' ? value : this.refuse(name, 'a text in quotes');
  }

  /** A whole number from 0, as Go's `uint`, up to `most`. */
  count(name: string, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.field(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? '' : ` from 0 to ${most}`;
    return this.refuse(name, `a whole number${range}, without quotes`);
  }

  /** Throws the ConfigError that says what stands in a field, and what may. */
  refuse(name: string, accepted: string, phrase?: string): never {
    const field = this.#path + name;
    const value = this.field(name);
    const found = value === undefined ? `${field} is missing` : `${field} is ${shown(value)}`;
    throw new ConfigError(field, `${phrase ? `${phrase}: ` : ''}${found}, accepted is ${accepted}`, {
      value,
    });
  }

  known(): readonly string[] {
    return [...this.#known.values()];
  }

  unknown(): readonly string[] {
    return [...this.#given].filter(([folded]) => !this.#known.has(folded)).map(([, { spelt }]) => spelt);
  }
}

/** One warning for each field that nobody asked for. `path` is `Backend.` for those of the `Backend` object. */
export function unknownFieldWarnings(fields: Pick<Fields, 'known' | 'unknown'>, path = ''): string[] {
  return fields.unknown().map((spelt) => {
    const meant = nearest(spelt, fields.known());
    return `${path}${spelt} is not a known field and is ignored${meant ? `; did you mean ${path}${meant}?` : ''}`;
  });
}
