import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { PLACEMENTS } from '../../src/systemd/placement.js';
import { fitService } from '../../src/systemd/service.js';
import { isUntouched, stamped } from '../../src/systemd/stamp.js';

const TOOL = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));
const SERVICE = fileURLToPath(new URL('../../../contrib/systemd/lodend.service', import.meta.url));

interface Report {
  readonly files: readonly { path: string; action: string }[];
  readonly warnings: readonly string[];
  readonly next: readonly string[];
}

async function emptyRoot(t: ExecutionContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'loden-root-'));
  t.teardown(() => rm(root, { recursive: true }));
  return root;
}

async function installUnit(root: string, ...flags: readonly string[]): Promise<Report> {
  const words = [TOOL, 'install-unit', '--root', root, '--json', ...flags];
  return JSON.parse((await promisify(execFile)(process.execPath, words)).stdout);
}

async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

const targets = PLACEMENTS.map(({ target }) => target).sort();

test('installed are the files that belong to the service, and nothing else', async (t) => {
  const root = await emptyRoot(t);
  const { files } = await installUnit(root);
  t.deepEqual(await filesBelow(root), targets);
  t.deepEqual(files.map(({ path }) => path).sort(), targets);
  t.deepEqual([...new Set(files.map(({ action }) => action))], ['created']);
  const environment = await stat(join(root, 'etc/loden/lodend.env'));
  t.is(environment.mode & 0o777, 0o600);
});

test('the installed unit starts the Node and the package that installed it', async (t) => {
  const root = await emptyRoot(t);
  await installUnit(root);
  const unit = await readFile(join(root, 'etc/systemd/system/lodend.service'), 'utf8');
  const [, node, lodend] = /^ExecStart=(\S+) (\S+)$/m.exec(unit)!;
  t.is(node, process.execPath);
  const { stdout } = await promisify(execFile)(node!, [lodend!, '--version']);
  t.regex(stdout, /^\d+\.\d+\.\d+/);
});

test('a second run changes nothing', async (t) => {
  const root = await emptyRoot(t);
  await installUnit(root);
  const { files } = await installUnit(root);
  t.deepEqual([...new Set(files.map(({ action }) => action))], ['unchanged']);
});

test('a dry run tells what would be done and changes nothing', async (t) => {
  const root = await emptyRoot(t);
  const { files } = await installUnit(root, '--dry-run');
  t.is(files.filter(({ action }) => action === 'created').length, targets.length);
  t.deepEqual(await filesBelow(root), []);
});

test('an edited file survives an upgrade and a removal, and is named', async (t) => {
  const root = await emptyRoot(t);
  await installUnit(root);
  const path = join(root, 'etc/loden/lodend.env');
  const edited = `${await readFile(path, 'utf8')}LODEND_ETCD_ENDPOINTS=http://192.0.2.1:2379\n`;
  await writeFile(path, edited);
  for (const flags of [[], ['--uninstall']]) {
    const { files } = await installUnit(root, ...flags);
    const kept = files.filter(({ action }) => action === 'kept').map((file) => file.path);
    t.deepEqual(kept, ['/etc/loden/lodend.env']);
    t.is(await readFile(path, 'utf8'), edited);
  }
  t.deepEqual(await filesBelow(root), ['/etc/loden/lodend.env']);
});

test('an older version of a file that nobody edited is brought up to date', async (t) => {
  const root = await emptyRoot(t);
  await installUnit(root);
  const path = join(root, 'etc/systemd/network/10-loden.link');
  const current = await readFile(path, 'utf8');
  await writeFile(path, stamped('[Match]\nOriginalName=flannel.*\n'));
  await chmod(path, 0o600);
  const { files } = await installUnit(root);
  t.is(files.find(({ action }) => action === 'updated')?.path, '/etc/systemd/network/10-loden.link');
  t.is(await readFile(path, 'utf8'), current);
  t.is((await stat(path)).mode & 0o777, 0o644);
});

test('removed is all that was installed, with the folders that were made for it', async (t) => {
  const root = await emptyRoot(t);
  await installUnit(root);
  const { files } = await installUnit(root, '--uninstall');
  t.deepEqual([...new Set(files.map(({ action }) => action))], ['removed']);
  t.deepEqual(await filesBelow(root), []);
  t.deepEqual((await readdir(join(root, 'etc'))).sort(), ['systemd']);
  const again = await installUnit(root, '--uninstall');
  t.deepEqual([...new Set(again.files.map(({ action }) => action))], ['absent']);
});

test('a file that was there before is not ours to replace', async (t) => {
  const root = await emptyRoot(t);
  await installUnit(root);
  const path = join(root, 'etc/systemd/system/lodend.service');
  await writeFile(path, '[Service]\nExecStart=/opt/mine\n');
  const { warnings } = await installUnit(root);
  t.is(await readFile(path, 'utf8'), '[Service]\nExecStart=/opt/mine\n');
  t.regex(warnings.join(), /lodend\.service was edited/);
});

test('a stamp tells of any edit', (t) => {
  t.true(isUntouched(stamped('a\nb\n')));
  t.false(isUntouched(`${stamped('a\nb\n')} `));
  t.false(isUntouched(stamped('a\nb\n').replace('a\n', 'A\n')));
  t.false(isUntouched('a\nb\n'));
  t.false(isUntouched(''));
});

test('the sandbox lets the unit see a program under a home or in a temporary folder, with a warning', async (t) => {
  const unit = await readFile(SERVICE, 'utf8');
  const usual = fitService(unit, { node: '/usr/bin/node', lodend: '/usr/lib/node_modules/loden/lodend.js' });
  t.deepEqual(usual.warnings, []);
  t.regex(usual.text, /^ProtectHome=yes$/m);
  t.regex(usual.text, /^PrivateTmp=yes$/m);
  const home = fitService(unit, { node: '/root/.nvm/v20/bin/node', lodend: '/root/.npm/_npx/1/lodend.js' });
  t.regex(home.text, /^ProtectHome=read-only$/m);
  t.regex(home.text, /^PrivateTmp=yes$/m);
  t.is(home.warnings.length, 2);
  t.regex(home.warnings.join('\n'), /\/root\/\.nvm.*\n.*npx's cache/);
  t.regex(fitService(unit, { node: '/usr/bin/node', lodend: '/var/tmp/x.js' }).text, /^PrivateTmp=no$/m);
});

test('a path with blanks and signs that systemd expands stays one word', async (t) => {
  const unit = await readFile(SERVICE, 'utf8');
  const { text } = fitService(unit, { node: '/opt/my node/50%/$x', lodend: '/opt/l"d.js' });
  t.is(/^ExecStart=(.*)$/m.exec(text)?.[1], '"/opt/my node/50%%/$$x" "/opt/l\\"d.js"');
});
