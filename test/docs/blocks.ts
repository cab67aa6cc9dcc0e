/**
 * The fenced blocks of the pages, and what their tags ask for:
 *
 *     ```sh run                commands, run as root on a host of a lab; the block succeeds
 *     ```sh run fails=2        … and ends with exit code 2
 *     ```sh run at=h2          … on another of its hosts
 *     ```sh run eventually     … and is run again until its output is as shown
 *     ```sh run stopped        … once the daemon there has been stopped
 *     ```sh daemon             one command that stays: started, and waited for until it says `ready`
 *     ```sh                    not run: installs software, or talks to a service manager or to Docker
 *     ```text output           what the block before prints; `…` stands for any text, on a line alone for any lines
 *     ```json config           a network config, which the daemon's parser takes without a warning
 *     ```json file=net.json    … a file, in the folder where the commands run
 *
 * Pages are shown without the tags.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface Block {
  /** `docs/install.md:12`, of the opening fence. */
  readonly place: string;
  readonly language: string;
  readonly tags: readonly string[];
  readonly text: string;
}

export const PAGES: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path))
    .sort(),
];

export const BACKEND_PAGES: readonly string[] = readdirSync(join(ROOT, 'src/backend'), {
  withFileTypes: true,
})
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `src/backend/${name}/README.md`);

const FENCED = /^```(\w*)([^\n]*)\n(.*?)^```$/gms;

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}

export function blocksOf(page: string): Block[] {
  const text = read(page);
  return [...text.matchAll(FENCED)].map(({ 1: language, 2: tags, 3: body, index }) => ({
    place: `${page}:${text.slice(0, index).split('\n').length}`,
    language: language!,
    tags: tags!.split(' ').filter(Boolean),
    text: body!,
  }));
}

export function withoutBlocks(page: string): string {
  return read(page).replace(FENCED, '');
}

/** What stands after `name=` among the tags. */
export function tagValue({ tags }: Block, name: string): string | undefined {
  return tags.find((tag) => tag.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** The text below a heading of the second level, up to the next one; empty when there is no such heading. */
export function section(page: string, title: string): string {
  return (
    read(page)
      .split(/^## /m)
      .find((part) => part.startsWith(`${title}\n`)) ?? ''
  );
}
