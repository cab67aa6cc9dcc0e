/** Values of JSON, and how they are shown to people. */

/** What JSON.parse can return. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A value as JSON, cut to fit into a message. */
export function shown(value: JsonValue | undefined, longest = 80): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
