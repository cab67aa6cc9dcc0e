import type { BackendJson } from '../config/network.js';
import { ConfigError } from '../errors.js';

/** Readers for the fields of the `Backend` object; each throws a ConfigError that says what would be accepted. */

interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/** A whole number within the range, or undefined when the field is absent. */
export function integerField(
  json: BackendJson,
  name: string,
  { min, max }: IntegerRange,
): number | undefined {
  const value = json.field(name);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new ConfigError(
    `Backend.${name}`,
    `Backend.${name} is ${JSON.stringify(value)}; it takes a whole number from ${min} to ${max}, without quotes`,
    { value },
  );
}

/** `true` or `false`; false when the field is absent. */
export function booleanField(json: BackendJson, name: string): boolean {
  const value = json.field(name);
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw new ConfigError(
    `Backend.${name}`,
    `Backend.${name} is ${JSON.stringify(value)}; it takes true or false, without quotes`,
    { value },
  );
}
