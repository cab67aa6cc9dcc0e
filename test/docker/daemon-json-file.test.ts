import { chmod, chown, lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { BACKUP_SUFFIX, updateDaemonJson } from '../../src/docker/daemon-json-file.js';
import { findFlags } from '../../src/docker/flags.js';
import { FileError } from '../../src/errors.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { folderWith } from './folder.js';

const asRoot = process.getuid?.() === 0 ? test : test.skip;

const settings = (bip = '10.77.5.1/24') => ({ bip: parsePrefix(bip)!, mtu: 1450, ipMasq: true });
const NAME = 'daemon.json';

test('a file that is not there is made with its folder, and has no backup', async (t) => {
  const folder = join(await folderWith(t, {}), 'etc', 'docker');
  await updateDaemonJson(join(folder, NAME), settings(), []);
  t.is(JSON.parse(await readFile(join(folder, NAME), 'utf8')).bip, '10.77.5.1/24');
  t.is((await stat(join(folder, NAME))).mode & 0o777, 0o644);
  t.deepEqual(await readdir(folder), [NAME]);
});

asRoot('mode and owner of the file stay, and its backup has them', async (t) => {
  const folder = await folderWith(t, { [NAME]: '{}' });
  const path = join(folder, NAME);
  await chmod(path, 0o640);
  await chown(path, 12, 34);
  await updateDaemonJson(path, settings(), []);
  for (const name of [path, path + BACKUP_SUFFIX]) {
    const { mode, uid, gid } = await stat(name);
    t.deepEqual({ mode: mode & 0o7777, uid, gid }, { mode: 0o640, uid: 12, gid: 34 }, name);
  }
});

asRoot(
  'owner and mode stay also in the sandbox of the unit, which has a right to give files away and no other',
  async (t) => {
    const folder = await folderWith(t, { [NAME]: '{}' });
    await chmod(folder, 0o755);
    const path = join(folder, NAME);
    await chmod(path, 0o644);
    await chown(path, 12, 34);
    const module = new URL('../../src/docker/daemon-json-file.js', import.meta.url).href;
    const script = `import { updateDaemonJson } from '${module}';
    await updateDaemonJson('${path}', ${JSON.stringify(settings())}, []);`;
    const node = [process.execPath, '--input-type=module', '--eval', script];
    await execa('setpriv', ['--bounding-set=-all,+chown', ...node]);
    t.is(JSON.parse(await readFile(path, 'utf8')).mtu, 1450);
    for (const name of [path, path + BACKUP_SUFFIX]) {
      const { mode, uid, gid } = await stat(name);
      t.deepEqual({ mode: mode & 0o7777, uid, gid }, { mode: 0o644, uid: 12, gid: 34 }, name);
    }
  },
);

test('the backup is what there was before the first change, however many follow', async (t) => {
  const before = '{ "debug" :true}';
  const path = join(await folderWith(t, { [NAME]: before }), NAME);
  await updateDaemonJson(path, settings(), []);
  await updateDaemonJson(path, settings('10.77.6.1/24'), []);
  t.is(await readFile(path + BACKUP_SUFFIX, 'utf8'), before);
  t.is(JSON.parse(await readFile(path, 'utf8')).bip, '10.77.6.1/24');
});

test('nothing is written when nothing changes', async (t) => {
  const folder = await folderWith(t, {});
  const path = join(folder, NAME);
  await updateDaemonJson(path, settings(), []);
  const before = await stat(path, { bigint: true });
  t.is((await updateDaemonJson(path, settings(), [])).kind, 'unchanged');
  const after = await stat(path, { bigint: true });
  t.deepEqual([after.ino, after.mtimeNs], [before.ino, before.mtimeNs]);
  t.deepEqual(await readdir(folder), [NAME]);
});

test('a refused file stays as it is, without a backup', async (t) => {
  const folder = await folderWith(t, { [NAME]: '{"bridge": "br0"}' });
  t.is((await updateDaemonJson(join(folder, NAME), settings(), [])).kind, 'refused');
  t.is(await readFile(join(folder, NAME), 'utf8'), '{"bridge": "br0"}');
  t.deepEqual(await readdir(folder), [NAME]);
});

test('bytes that are no text are refused, as they would not come out again as they were', async (t) => {
  const path = join(await folderWith(t, {}), NAME);
  await writeFile(path, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
  const edit = await updateDaemonJson(path, settings(), []);
  t.true(edit.kind === 'refused' && /not UTF-8/.test(edit.reason));
});

test('a link stays a link, and the file that it leads to changes', async (t) => {
  const folder = await folderWith(t, { 'managed/docker.json': '{}' });
  await symlink('managed/docker.json', join(folder, NAME));
  await updateDaemonJson(join(folder, NAME), settings(), []);
  t.is(JSON.parse(await readFile(join(folder, 'managed/docker.json'), 'utf8')).mtu, 1450);
  t.deepEqual((await readdir(folder)).toSorted(), [NAME, NAME + BACKUP_SUFFIX, 'managed']);
});

test('a link to a file that is not there yet stays a link, and the file is made', async (t) => {
  const folder = await folderWith(t, { 'managed/x': '' });
  await symlink('managed/docker.json', join(folder, NAME));
  await updateDaemonJson(join(folder, NAME), settings(), []);
  t.is(JSON.parse(await readFile(join(folder, 'managed/docker.json'), 'utf8')).mtu, 1450);
  t.true((await lstat(join(folder, NAME))).isSymbolicLink());
});

test('a file that dockerd does not read is refused, and dockerd file is named', async (t) => {
  const folder = await folderWith(t, { [NAME]: '{}', 'other.json': '{}' });
  const flags = findFlags(['--config-file', join(folder, 'other.json')], 'docker.service');
  const edit = await updateDaemonJson(join(folder, NAME), settings(), flags);
  t.true(
    edit.kind === 'refused' &&
      edit.reason.includes(`reads ${join(folder, 'other.json')} instead (docker.service)`),
  );
  await symlink('other.json', join(folder, 'same.json'));
  t.is((await updateDaemonJson(join(folder, 'same.json'), settings(), flags)).kind, 'changed');
});

test('a folder in place of the file is an error that names it', async (t) => {
  const folder = await folderWith(t, { 'daemon.json/x': '' });
  const error = await t.throwsAsync(updateDaemonJson(join(folder, NAME), settings(), []), {
    instanceOf: FileError,
  });
  t.is(error?.path, join(folder, NAME));
});
