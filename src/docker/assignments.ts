/**
 * Files of `NAME=value` lines: what a shell sources (subnet.env, /etc/default/docker) or systemd reads as
 * EnvironmentFile. Quotes, `export`, comments, continued lines and references to earlier names are taken as both do.
 */

export type Assignments = ReadonlyMap<string, string>;

/** What stands in quotes may go on over lines. */
const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)(\+?)=("[^"]*".*|'[^']*'.*|.*)$/gm;

/** The last value of each name. Lines that are no assignment are passed over. `known` may be referred to. */
export function parseAssignments(text: string, known: Assignments = new Map()): Map<string, string> {
  const found = new Map<string, string>();
  const soFar = (name: string) => found.get(name) ?? known.get(name) ?? '';
  for (const [, name, added, written] of joinContinued(text).matchAll(ASSIGNMENT)) {
    const value = unquoted(written!, soFar);
    found.set(name!, added ? soFar(name!) + value : value);
  }
  return found;
}

export function joinContinued(text: string): string {
  return text.replace(/\\\r?\n/g, ' ');
}

/** Replaces `$NAME` and `${NAME}`. */
export function expand(text: string, lookUp: (name: string) => string): string {
  return text.replace(/\$(?:\{(\w+)\}|([A-Za-z_]\w*))/g, (_, braced?: string, plain?: string) =>
    lookUp((braced ?? plain)!),
  );
}

function unquoted(written: string, lookUp: (name: string) => string): string {
  const text = written.trim();
  const quoted = /^(["'])(.*?)\1(?:\s*#.*|\s*;.*)?$/s.exec(text);
  if (quoted?.[1] === "'") return quoted[2]!;
  return expand(quoted?.[2] ?? withoutComment(text), lookUp);
}

function withoutComment(text: string): string {
  const start = text.search(/\s#/);
  return start < 0 ? text : text.slice(0, start).trimEnd();
}
