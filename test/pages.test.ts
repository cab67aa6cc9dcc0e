/** What the pages for users say is so: options, examples and commands in them exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { backendFor } from '../src/backend/registry.js';
import { parseNetworkConfig } from '../src/config/network.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

const SECTIONS = ['Name', 'Description', 'Options', 'Example', 'In the kernel', 'MTU'];

const backendPages = readdirSync(join(root, 'src/backend'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `src/backend/${entry.name}/README.md`);

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** The text below a heading, up to the next one. */
function section(page: string, title: string): string {
  return (
    read(page)
      .split(/^## /m)
      .find((part) => part.startsWith(`${title}\n`)) ?? ''
  );
}

test('there is a page for each backend', (t) => {
  t.true(backendPages.length >= 3);
  t.deepEqual(
    backendPages.filter((page) => !existsSync(join(root, page))),
    [],
  );
});

for (const page of backendPages) {
  test(`${page} has the sections that every backend's page has`, (t) => {
    t.deepEqual(
      [...read(page).matchAll(/^## (.+)$/gm)].map((match) => match[1]),
      SECTIONS,
    );
  });

  test(`${page} has an example that parses, and lists the options that there are`, (t) => {
    const example = /```json\n(.*?)```/s.exec(section(page, 'Example'))?.[1] ?? '';
    const { backend: json } = parseNetworkConfig(example, page).config;
    backendFor(json.type).parseOptions(json);
    t.deepEqual(json.unknown(), []);
    const listed = [...section(page, 'Options').matchAll(/^\| `(\w+)`/gm)].map((match) => match[1]!);
    const known = json.known().filter((name) => name.toLowerCase() !== 'type');
    t.deepEqual(listed.toSorted(), known.toSorted());
  });
}

interface Command {
  readonly page: string;
  /** `loden`, `lodend`, `npm` */
  readonly program: string;
  readonly words: readonly string[];
}

const pages = ['README.md', 'CONTRIBUTING.md'].filter((page) => existsSync(join(root, page)));

/** Commands in code blocks and in code among the text. */
function commandsIn(page: string): Command[] {
  const text = read(page);
  const blocks = [...text.matchAll(/^```(?:sh|bash|console)?\n(.*?)^```/gms)].flatMap((match) =>
    match[1]!.split('\n'),
  );
  const inline = [...text.replace(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  return [...blocks, ...inline].flatMap((line) => {
    const match = /^(?:[$#] )?(?:sudo )?(?:node dist\/cmd\/)?(loden|lodend|npm)(?:\.js)? (.+)$/.exec(
      line.trim(),
    );
    return match
      ? [{ page, program: match[1]!, words: match[2]!.replace(/ [#|>].*$/, '').split(/\s+/) }]
      : [];
  });
}

const commands = pages.flatMap(commandsIn);

async function helpOf(program: string, words: readonly string[]): Promise<string> {
  const file = join(root, 'dist/cmd', `${program}.js`);
  const { stdout } = await execa(process.execPath, [file, ...words, '--help'], { reject: false });
  return stdout;
}

/** Flags of ours: not those that belong to a command after `--`. */
function flagsOf(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  return words
    .slice(0, end === -1 ? undefined : end)
    .filter((word) => word.startsWith('--'))
    .map((word) => word.replace(/=.*$/, ''));
}

test('npm scripts on the pages exist', (t) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const { page, program, words } of commands) {
    if (program !== 'npm') continue;
    const script = words[0] === 'run' ? words[1]! : words[0]!;
    t.true(script in scripts || ['install', 'ci'].includes(script), `${page}: npm ${words.join(' ')}`);
  }
  t.true('test' in scripts);
});

test('lodend has the flags on the pages', async (t) => {
  const help = await helpOf('lodend', []);
  t.regex(help, /--etcd-endpoints/);
  for (const { page, program, words } of commands)
    if (program === 'lodend')
      for (const flag of flagsOf(words)) t.true(hasFlag(help, flag), `${page}: lodend ${flag}`);
});

test('loden has the commands and flags on the pages', async (t) => {
  t.regex(await helpOf('loden', ['lab', 'up']), /--hosts/);
  for (const { page, program, words } of commands) {
    if (program !== 'loden') continue;
    const path = words.slice(0, 2).filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-'));
    const help = await helpOf('loden', path);
    t.true(
      help.startsWith(`Usage: loden ${path[0]} `) || help.startsWith(`Usage: loden ${path.join(' ')} `),
      `${page}: loden ${words.join(' ')}`,
    );
    for (const flag of flagsOf(words))
      t.true(hasFlag(help, flag), `${page}: loden ${path.join(' ')} ${flag}`);
  }
});

function hasFlag(help: string, flag: string): boolean {
  return new RegExp(`(^|[\\s,])${flag}\\b(?!-)`, 'm').test(help);
}
