/**
 * A file that tells by itself whether anybody has edited it: its first line is a comment with the SHA-256 of the rest.
 * So an upgrade may replace, and a removal delete, what is still as it was put there, without a list kept elsewhere.
 */
import { createHash } from 'node:crypto';

const LINE = /^# Placed by loden; once edited, it is left alone. sha256 ([0-9a-f]{64})\n/;

export function stamped(text: string): string {
  return `# Placed by loden; once edited, it is left alone. sha256 ${digest(text)}\n${text}`;
}

/** False for a file without our line, too. */
export function isUntouched(text: string): boolean {
  const [line, hash] = LINE.exec(text) ?? [];
  return line !== undefined && digest(text.slice(line.length)) === hash;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
