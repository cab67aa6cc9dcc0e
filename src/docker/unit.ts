/**
 * A systemd service as its files say, without asking systemd: the unit, its drop-ins and environment files, in the
 * order in which systemd reads them (systemd.unit(5)). Covers what tells how dockerd is started.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Assignments, expand, joinContinued, parseAssignments } from './assignments.js';

/** Where units are, the first wins. */
const UNIT_FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** A command line of the unit, with its variables replaced. */
export interface UnitCommand {
  readonly words: readonly string[];
  /** For people: `docker.service`, `DOCKER_OPTS in /etc/default/docker`. */
  readonly source: string;
}

/** Undefined when there is no such unit. `root` stands before every path; empty for this machine. */
export async function unitCommands(unit: string, root: string): Promise<readonly UnitCommand[] | undefined> {
  const main = await firstText(UNIT_FOLDERS.map((folder) => `${root}${folder}/${unit}`));
  if (main === undefined) return undefined;
  const settings = [main, ...(await dropIns(unit, root))].flatMap(serviceSettings);
  const variables = await environmentOf(settings, root);
  return lastOf(settings, 'ExecStart').flatMap((line) => commandsOf(line, unit, variables));
}

export interface Setting {
  readonly name: string;
  readonly value: string;
}

const COMMENT_LINE = /^[ \t]*[#;].*(?:\r?\n|$)/gm;

/** The lines of `[Service]`. */
export function serviceSettings(text: string): Setting[] {
  let section = '';
  const settings: Setting[] = [];
  // Comments go first: systemd passes them over within a continued line too.
  for (const line of joinContinued(text.replaceAll(COMMENT_LINE, '')).split(/\r?\n/)) {
    section = /^\s*\[(.+)\]\s*$/.exec(line)?.[1] ?? section;
    const match = /^\s*([A-Za-z]\w*)\s*=(.*)$/.exec(line);
    if (match && section === 'Service') settings.push({ name: match[1]!, value: match[2]!.trim() });
  }
  return settings;
}

/** The values of a setting that is a list: an empty one throws away those before it. */
function lastOf(settings: readonly Setting[], name: string): string[] {
  const values = settings.filter((setting) => setting.name === name).map(({ value }) => value);
  return values.slice(values.lastIndexOf('') + 1);
}

interface Variable {
  readonly value: string;
  readonly source: string;
}

async function environmentOf(
  settings: readonly Setting[],
  root: string,
): Promise<ReadonlyMap<string, Variable>> {
  const variables = new Map<string, Variable>();
  const take = (assignments: Assignments, place: string) => {
    for (const [name, value] of assignments) variables.set(name, { value, source: `${name} in ${place}` });
  };
  for (const value of lastOf(settings, 'Environment'))
    take(parseAssignments(splitWords(value).join('\n')), 'the unit');
  // Files win over Environment=, whatever the order.
  for (const value of lastOf(settings, 'EnvironmentFile')) {
    for (const path of await matching(splitWords(value).join(' ').replace(/^-/, ''), root)) {
      const text = await readText(root + path);
      if (text !== undefined) take(parseAssignments(text), path);
    }
  }
  return variables;
}

/** The files that a path with `*` or `?` in its last part stands for. */
async function matching(path: string, root: string): Promise<string[]> {
  if (!/[*?]/.test(basename(path))) return [path];
  const literal = basename(path).replaceAll(/[.+^${}()|\\]/g, '\\$&');
  const pattern = new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`);
  const names = await readdir(root + dirname(path)).catch(() => []);
  return names
    .filter((name) => pattern.test(name))
    .toSorted()
    .map((name) => `${dirname(path)}/${name}`);
}

/** The command without its variables, and the words that each variable in it stands for. */
function commandsOf(line: string, unit: string, variables: ReadonlyMap<string, Variable>): UnitCommand[] {
  const names = [...line.matchAll(/\$(?:\{(\w+)\}|([A-Za-z_]\w*))/g)].map((match) => match[1] ?? match[2]!);
  const used = names.flatMap((name) => variables.get(name) ?? []);
  const words = splitWords(expand(line, (name) => valueInside(line, name, variables)));
  const plain = { words: words.flatMap(withShellsWords), source: unit };
  return [plain, ...used.map(({ value, source }) => ({ words: splitWords(value), source }))];
}

/** What a shell is told to do by `-c` is one word of the command, and words to the shell. */
function withShellsWords(word: string, index: number, words: readonly string[]): readonly string[] {
  return /^-[a-z]*c$/.test(words[index - 1] ?? '') ? splitWords(word) : [word];
}

/** `--bip=${BIP}` is a word of the command; `$OPTIONS` alone stands for words of its own, told apart by their source. */
function valueInside(line: string, name: string, variables: ReadonlyMap<string, Variable>): string {
  const alone = new RegExp(`(?:^|\\s)(?:\\$\\{${name}\\}|\\$${name})(?:\\s|$)`).test(line);
  return alone ? '' : (variables.get(name)?.value ?? '');
}

/** Words between blanks; quotes, single or double, keep blanks and go away. */
export function splitWords(text: string): string[] {
  return [...text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replace(/["']/g, ''));
}

/** Of all folders, in the order of their names; of one name the first folder's. */
async function dropIns(unit: string, root: string): Promise<string[]> {
  const paths = new Map<string, string>();
  for (const folder of UNIT_FOLDERS.map((each) => `${root}${each}/${unit}.d`)) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names)
      if (name.endsWith('.conf') && !paths.has(name)) paths.set(name, `${folder}/${name}`);
  }
  const sorted = [...paths].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return (await Promise.all(sorted.map(([, path]) => readText(path)))).map((text) => text ?? '');
}

async function firstText(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = await readText(path);
    if (text !== undefined) return text;
  }
  return undefined;
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
