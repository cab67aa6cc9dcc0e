import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { makeFolder } from '../../src/files/make-folder.js';

test('folders on the way are made, and those that are there are fine', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'make-folder-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const deep = join(folder, 'a', 'b', 'c');
  await Promise.all([makeFolder(deep), makeFolder(deep)]);
  await makeFolder(deep);
  t.true((await stat(deep)).isDirectory());
  await writeFile(join(folder, 'file'), '');
  await t.throwsAsync(makeFolder(join(folder, 'file')), { code: 'EEXIST' });
  await t.throwsAsync(makeFolder(join(folder, 'file', 'below')), { code: 'ENOTDIR' });
});

test('where no folder can be made, there is an error and no endless try', async (t) => {
  t.timeout(5000);
  await t.throwsAsync(makeFolder('/proc/nosuch/a/b'), { message: /ENOENT.*\/proc\/nosuch'/ });
});
