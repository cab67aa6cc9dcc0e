/** The tarball of `npm pack`, made from a copy of the sources, installed into an empty folder, and tried there. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { readElf } from './elf.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCES = [
  'cmd',
  'src',
  'test',
  'bench',
  'chaos',
  'native',
  'contrib',
  'scripts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'LICENSE',
];
const MINUTES = 60_000;

const cross = process.arch === 'arm64' ? 'x86_64-linux-gnu-gcc' : 'aarch64-linux-gnu-gcc';
const why = spawnSync(cross, ['--version']).status === 0 ? undefined : `no ${cross}`;
const packed = why === undefined ? test.serial : test.serial.skip;
const title = (text: string) => (why === undefined ? text : `${text} (skipped: ${why})`);

interface PackedFile {
  readonly path: string;
  readonly size: number;
  readonly mode: number;
}

let folder: string;
let files: readonly PackedFile[] = [];
let tarball: string;

test.before(async (t) => {
  t.timeout(5 * MINUTES);
  folder = await mkdtemp(join(tmpdir(), 'loden-package-'));
  if (why !== undefined) return;
  const clone = join(folder, 'clone');
  for (const source of SOURCES) await cp(join(ROOT, source), join(clone, source), { recursive: true });
  await symlink(await realpath(join(ROOT, 'node_modules')), join(clone, 'node_modules'));
  const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], { cwd: clone });
  const [pack] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [
    { filename: string; files: PackedFile[] },
  ];
  files = pack.files;
  tarball = join(folder, pack.filename);
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

packed(title('packed is what runs, and nothing that only we need'), (t) => {
  const kinds = files.map(({ path }) =>
    path
      .replace(/^(dist\/(?:cmd|src)|contrib)\/.*?(\.[a-z]+)$/, '$1/…$2')
      .replace(/^native\/[\w/-]+/, 'native/…'),
  );
  t.deepEqual(
    [...new Set(kinds)].sort(),
    [
      'LICENSE',
      'contrib/….conf',
      'contrib/….env',
      'contrib/….link',
      'contrib/….network',
      'contrib/….service',
      'dist/cmd/….js',
      'dist/src/….js',
      'native/….c',
      'native/….h',
      'native/…',
      'package.json',
      'prebuilds/linux-arm64/loden.node',
      'prebuilds/linux-x64/loden.node',
    ].sort(),
  );
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  t.true(bytes < 1_500_000, `${bytes} bytes`);
});

for (const arch of ['x64', 'arm64']) {
  packed(title(`the addon for ${arch} loads wherever Node 20 does`), async (t) => {
    const { machine, versions } = await readElf(join(folder, `clone/prebuilds/linux-${arch}/loden.node`));
    t.is(machine, arch);
    t.true(versions.length > 0);
    // What Node's own builds need.
    const newer = versions.filter((version) => {
      const minor = Number(/^GLIBC_2\.(\d+)(?:\.\d+)?$/.exec(version)?.[1] ?? Number.POSITIVE_INFINITY);
      return minor > 28;
    });
    t.deepEqual(newer, []);
  });
}

/** A PATH with only what a slim host has: no compiler, no make, and nothing of this repository. */
async function slimPath(): Promise<string> {
  const slim = join(folder, 'bin');
  await mkdir(slim);
  for (const directory of ['/usr/local/sbin', '/usr/sbin', '/usr/local/bin', '/usr/bin']) {
    for (const program of await readdir(directory).catch(() => [])) {
      if (/^(.*-)?(gcc|cc|g\+\+|c\+\+|cpp|make|ld|as|clang)(-[\d.]+)?$/.test(program)) continue;
      await symlink(join(directory, program), join(slim, program)).catch(() => undefined);
    }
  }
  const node = dirname(process.execPath);
  return node.startsWith('/usr/') ? slim : `${slim}:${node}`;
}

packed(title('installed from the tarball, both programs run by npx without a compiler'), async (t) => {
  t.timeout(5 * MINUTES);
  const empty = join(folder, 'empty');
  await mkdir(empty);
  await writeFile(join(empty, 'package.json'), '{ "private": true }\n');
  const options = { cwd: empty, env: { PATH: await slimPath() }, timeout: 2 * MINUTES } as const;
  t.not((await execa('gcc', ['--version'], { ...options, reject: false })).exitCode, 0);
  const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await execa('npm', ['install', ...flags, tarball], options);
  const npx = (...words: readonly string[]) => execa('npx', ['--no-install', ...words], options);

  t.regex((await npx('lodend', '--version')).stdout, /^\d+\.\d+\.\d+$/);
  t.regex((await npx('loden', '--help')).stdout, /^Usage: loden /);
  t.regex((await npx('loden', 'install-unit', '--dry-run')).stdout, /lodend\.service/);
  if (process.getuid?.() !== 0) return;
  const lab = ['--name', `test-${process.pid}-package`];
  try {
    await npx('loden', 'lab', 'up', ...lab, '--hosts', '2');
    const status = JSON.parse((await npx('loden', 'lab', 'status', ...lab, '--json')).stdout);
    t.is(status.pings.length, 2);
  } finally {
    await npx('loden', 'lab', 'down', ...lab);
  }
});
