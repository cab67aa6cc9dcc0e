/** The rules of the house that a program can check. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Files below a folder of the repository, as paths from its root; none when the folder is not there. */
function filesIn(folder: string, ending: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .map((path) => join(folder, path))
    .sort();
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

interface Import {
  readonly file: string;
  /** A path from the root for our own files, `src/net/mac.ts`; else the package. */
  readonly target: string;
}

function importsOf(file: string): Import[] {
  const specifiers = [...read(file).matchAll(/(?:from|import\(|commonJs\(|^import)\s*'([^']+)'/gm)].map(
    (match) => match[1]!,
  );
  return specifiers.map((specifier) => ({
    file,
    target: specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(file), specifier)).replace(/\.js$/, '.ts')
      : specifier,
  }));
}

const program = ['src', 'cmd'].flatMap((folder) => filesIn(folder, '.ts'));
const sources = [...program, ...['test', 'bench', 'chaos'].flatMap((folder) => filesIn(folder, '.ts'))];
const imports = program.flatMap(importsOf);

/** Which folders of src/ a folder may import from, besides itself and the single files in src/. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  net: [],
  files: [],
  config: ['net', 'files'],
  lease: ['net', 'config'],
  kernel: ['net'],
  backend: ['net', 'config', 'lease', 'kernel'],
  firewall: ['net', 'config', 'lease', 'kernel'],
  docker: ['net', 'files', 'config'],
  agent: ['net', 'files', 'config', 'lease', 'kernel', 'backend', 'firewall', 'docker'],
  terminal: [],
  tool: ['net', 'config', 'lease', 'kernel', 'backend', 'agent', 'terminal'],
  lab: ['net', 'files', 'config', 'lease', 'kernel'],
  systemd: ['files'],
  completion: ['config'],
};

/** Where effects are: files that talk to etcd, the kernel, the firewall, the packet path's threads and Docker. */
const ADAPTERS =
  /^src\/(lease\/etcd-|kernel\/netlink\/|firewall\/host\/|backend\/udp\/(proxy|obstacle)|docker\/engine-)/;

/** The folder of src/ that a path is in; empty for the files in src/ itself, undefined outside. */
function folderOf(path: string): string | undefined {
  return /^src\/(?:([^/]+)\/)?/.exec(path)?.at(1) ?? (path.startsWith('src/') ? '' : undefined);
}

test('imports point one way', (t) => {
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [folderOf(file), folderOf(target)];
    if (from === undefined) return /^(test|bench|chaos)\//.test(target);
    if (to === undefined) return /^(cmd|test|bench|chaos)\//.test(target);
    return to !== '' && to !== from && !MAY_IMPORT[from]?.includes(to);
  });
  t.deepEqual(wrong, []);
});

test('every folder of src has its place in the order of imports', (t) => {
  const folders = filesIn('src', '.ts').map((file) => folderOf(file)!);
  t.true(folders.length > 0);
  t.deepEqual(
    [...new Set(folders)].filter((folder) => folder !== '' && !(folder in MAY_IMPORT)),
    [],
  );
});

test('only cmd and the lab import adapters', (t) => {
  const wrong = imports.filter(
    ({ file, target }) => ADAPTERS.test(target) && !ADAPTERS.test(file) && !/^(cmd|src\/lab)\//.test(file),
  );
  t.deepEqual(wrong, []);
});

test('only src/net imports ipaddr.js, and only etcd adapters import etcd3', (t) => {
  const wrong = imports.filter(
    ({ file, target }) =>
      (target === 'ipaddr.js' && !file.startsWith('src/net/')) ||
      (/^etcd3\b/.test(target) && !file.startsWith('src/lease/etcd-')),
  );
  t.deepEqual(wrong, []);
});

/** Files that may be longer than 200 lines, and why. */
const LONG: Readonly<Record<string, string>> = {
  'src/agent/reconcile/reconciler.ts':
    'one loop over one state; its parts (desired, mirror, findings, bell) are files already',
  'src/config/options/daemon.ts': 'one table, a few lines an option',
  'test/tree.test.ts': 'one list of rules, each a few lines',
  'native/netlink.c': 'one socket, and the life of one transaction on it',
  'native/udp-path.c': 'all that JavaScript may ask of a packet path, over one handle',
  'src/lease/etcd-store.ts': "all methods of one port, over one connection's state",
};

test('a file has at most 200 lines, or a reason', (t) => {
  const long = [...program, ...filesIn('native', '.c')].filter(
    (file) => read(file).split('\n').length > 201 && !(file in LONG),
  );
  t.deepEqual(long, []);
});

test('nothing is left to do in the sources', (t) => {
  const marker = new RegExp(['TO', 'DO|FIX', 'ME|XX', 'X'].join(''));
  t.deepEqual(
    sources.filter((file) => marker.test(read(file))),
    [],
  );
});
