/** What the pages for users say is so: options, examples and commands in them exist. */
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { backendFor } from '../src/backend/registry.js';
import { parseNetworkConfig } from '../src/config/network.js';
import { BACKEND_PAGES, blocksOf, exists, PAGES, ROOT, read, section, withoutBlocks } from './docs/blocks.js';

const SECTIONS = ['Name', 'Description', 'Options', 'Example', 'In the kernel', 'MTU'];

test('there is a page for each backend', (t) => {
  t.true(BACKEND_PAGES.length >= 3);
  t.deepEqual(
    BACKEND_PAGES.filter((page) => !exists(page)),
    [],
  );
});

for (const page of BACKEND_PAGES) {
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

/** Commands in code blocks and in code among the text. */
function commandsIn(page: string): Command[] {
  const blocks = blocksOf(page)
    .filter(
      ({ language, tags }) => ['', 'sh', 'bash', 'console'].includes(language) && !tags.includes('fails=2'),
    )
    .flatMap(({ text }) => text.split('\n'));
  const inline = [...withoutBlocks(page).matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  return [...blocks, ...inline].flatMap((line) => {
    const match = /^(?:[$#] )?(?:sudo )?(?:node dist\/cmd\/)?(loden|lodend|npm)(?:\.js)? (.+)$/.exec(
      line.trim(),
    );
    return match
      ? [{ page, program: match[1]!, words: match[2]!.replace(/ [#|>].*$/, '').split(/\s+/) }]
      : [];
  });
}

const commands = PAGES.flatMap(commandsIn);

const helps = new Map<string, Promise<string>>();

function helpOf(program: string, words: readonly string[]): Promise<string> {
  const key = [program, ...words].join(' ');
  const known = helps.get(key) ?? askForHelp(program, words);
  helps.set(key, known);
  return known;
}

async function askForHelp(program: string, words: readonly string[]): Promise<string> {
  const file = join(ROOT, 'dist/cmd', `${program}.js`);
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
