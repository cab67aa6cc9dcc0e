/** Values of JSON, and how they are shown to people. */

/** What JSON.parse can return. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export type JsonObject = { readonly [key: string]: JsonValue };

/** Neither null nor a list. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as JSON, cut to fit into a message. */
export function shown(value: JsonValue | undefined, longest = 80): string {
  const text = textOf(value);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

function textOf(value: JsonValue | undefined): string {
  try {
    return JSON.stringify(value) ?? 'undefined';
  } catch (error) {
    // The stack ends at some thousand lists, one inside the other.
    if (!(error instanceof RangeError)) throw error;
    return 'a value that is nested too deeply';
  }
}
