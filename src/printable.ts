/**
 * Text that somebody else wrote, fit for one line of a terminal or a log: characters that break the line, move the
 * cursor, change colours or the direction of writing are shown by their numbers, `\\u{1b}`.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
