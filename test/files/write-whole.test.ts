import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FileError } from '../../src/errors.js';
import { createWhole, writeWhole } from '../../src/files/write-whole.js';

async function folderFor(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loden-write-whole-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o7777;
}

test('the file has the text and exactly the mode, and the folder is made', async (t) => {
  const folder = join(await folderFor(t), 'a', 'b');
  await writeWhole(join(folder, 'file'), 'text\n', 0o666);
  t.is(await readFile(join(folder, 'file'), 'utf8'), 'text\n');
  t.is(await modeOf(join(folder, 'file')), 0o666);
  t.is(await modeOf(folder), 0o755);
});

test('a reader never sees a part of the text, nor a missing file', async (t) => {
  const path = join(await folderFor(t), 'file');
  const texts = ['a'.repeat(200_000), 'b'.repeat(200_000)] as const;
  await writeWhole(path, texts[0], 0o644);
  let writing = true;
  const writer = (async () => {
    for (let i = 0; i < 20; i++) await writeWhole(path, texts[i % 2 === 0 ? 1 : 0], 0o644);
    writing = false;
  })();
  let reads = 0;
  for (; writing; reads++)
    if (!(texts as readonly string[]).includes(await readFile(path, 'utf8'))) t.fail('a torn read');
  await writer;
  t.true(reads > 0);
});

test('a failed write leaves the old text and nothing beside it', async (t) => {
  const folder = await folderFor(t);
  await mkdir(join(folder, 'file'));
  const error = await t.throwsAsync(writeWhole(join(folder, 'file'), 'text', 0o644), {
    instanceOf: FileError,
  });
  t.is(error?.path, join(folder, 'file'));
  t.deepEqual(await readdir(folder), ['file']);
});

test('of several that create one file, exactly one does, and its text stands', async (t) => {
  const folder = await folderFor(t);
  const path = join(folder, 'file');
  const texts = Array.from({ length: 8 }, (_, i) => `text ${i}`);
  const created = await Promise.all(texts.map((text) => createWhole(path, text, 0o600)));
  t.is(created.filter(Boolean).length, 1);
  t.is(await readFile(path, 'utf8'), `text ${created.indexOf(true)}`);
  t.deepEqual(await readdir(folder), ['file']);
});

test('a folder that is a file is an error, not a file that is there already', async (t) => {
  const folder = await folderFor(t);
  await writeFile(join(folder, 'file'), '');
  await t.throwsAsync(createWhole(join(folder, 'file', 'inner'), '', 0o600), { instanceOf: FileError });
});
