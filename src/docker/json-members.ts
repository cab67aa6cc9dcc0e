/**
 * Changes members of a JSON object in its text, and nothing else: other members keep their bytes, and what is added
 * looks like what is there (indentation, line ends, or all in one line).
 */
import { type Node, parseTree } from 'jsonc-parser';
import type { JsonValue } from '../json.js';

/** How an object without members is laid out. */
const FRESH_SEPARATOR = '\n  ';

/** `text` is an object in strict JSON, as JSON.parse accepts it. A member that has its value already is left alone. */
export function setMembers(text: string, values: Readonly<Record<string, JsonValue>>): string {
  return Object.entries(values).reduce((now, [name, value]) => setMember(now, name, value), text);
}

function setMember(text: string, name: string, value: JsonValue): string {
  const root = parseTree(text)!;
  const members = root.children!;
  // Of several members of one name, readers heed the last.
  const found = members.findLast((member) => keyOf(member) === name);
  const written = JSON.stringify(value);
  if (found === undefined) return addMember(text, root, `${JSON.stringify(name)}: ${written}`);
  const old = found.children![1]!;
  const [start, end] = [old.offset, old.offset + old.length];
  return JSON.stringify(JSON.parse(text.slice(start, end))) === written
    ? text
    : text.slice(0, start) + written + text.slice(end);
}

function addMember(text: string, root: Node, member: string): string {
  const last = root.children!.at(-1);
  if (last === undefined) {
    const eol = text.includes('\r\n') ? '\r\n' : '\n';
    const inside = FRESH_SEPARATOR.replace('\n', eol) + member + eol;
    return `${text.slice(0, root.offset)}{${inside}}${text.slice(root.offset + root.length)}`;
  }
  const end = last.offset + last.length;
  return `${text.slice(0, end)},${spaceBefore(text, last)}${member}${text.slice(end)}`;
}

/** What separates the last member from the bracket or comma before it. */
function spaceBefore(text: string, member: Node): string {
  const before = text.slice(0, member.offset);
  return before.slice(before.trimEnd().length);
}

function keyOf(member: Node): string {
  return member.children![0]!.value as string;
}
