import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { loadIdentity } from '../../../src/agent/identity/identity.js';
import { FileError } from '../../../src/errors.js';

async function folderFor(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loden-identity-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, 'state');
}

test('an identity is made once and is the same ever after', async (t) => {
  const folder = await folderFor(t);
  const first = await loadIdentity(folder);
  t.regex(first, /^[0-9a-f]{32}$/);
  t.is(await loadIdentity(folder), first);
  t.is(await readFile(join(folder, 'identity'), 'utf8'), `${first}\n`);
});

test('two hosts have two identities', async (t) => {
  t.not(await loadIdentity(await folderFor(t)), await loadIdentity(await folderFor(t)));
});

test('daemons that start at once on one folder have one identity', async (t) => {
  const folder = await folderFor(t);
  const identities = await Promise.all(Array.from({ length: 8 }, () => loadIdentity(folder)));
  t.is(new Set(identities).size, 1);
});

for (const text of ['', 'abc\n', `${'0'.repeat(31)}g\n`, `${'0'.repeat(33)}\n`]) {
  test(`a file that holds ${JSON.stringify(text)} is refused and left as it is`, async (t) => {
    const folder = await folderFor(t);
    await loadIdentity(folder);
    await writeFile(join(folder, 'identity'), text);
    await t.throwsAsync(loadIdentity(folder), { instanceOf: FileError, message: /delete it/ });
    t.is(await readFile(join(folder, 'identity'), 'utf8'), text);
  });
}
