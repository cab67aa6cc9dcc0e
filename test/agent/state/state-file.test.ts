import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { countOfState, type KnownState, readState, writeState } from '../../../src/agent/state/state-file.js';
import { FileError } from '../../../src/errors.js';
import { leaseKey } from '../../../src/lease/codec.js';
import { attributes, lease } from '../../lease/leases.js';

async function folderFor(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loden-state-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, 'state');
}

function known(peers = 2): KnownState {
  const ours = lease('10.5.34.0/24', '192.0.2.1', { modRevision: 7 });
  const theirs = Array.from({ length: peers }, (_, index) =>
    lease(`10.${64 + (index >> 8)}.${index & 255}.0/24`, `192.0.2.${2 + (index % 200)}`, {
      attributes: attributes('192.0.2.2', {
        backendType: 'vxlan',
        backendData: { VNI: 1, VtepMAC: '4e:08:6b:33:69:f4' },
        identity: '7'.repeat(32),
      }),
    }),
  );
  return {
    etcdPrefix: '/coreos.com/network',
    configText: '{ "Network": "10.0.0.0/8",\n "Backend": {} }',
    lease: ours,
    ttlSeconds: 86_400,
    renewed: { wallMs: 1_780_000_000_000, bootId: 'c0ffee', sinceBootMs: 4_711 },
    leases: new Map([ours, ...theirs].map((each) => [leaseKey(each), each])),
    revision: 12,
  };
}

test('what was written is read again', async (t) => {
  const folder = await folderFor(t);
  t.deepEqual(await readState(folder), {});
  t.is(await countOfState(folder), 0);
  for (const state of [known(), known(0), known(2500)]) {
    await writeState(folder, state);
    t.deepEqual(await readState(folder), { state });
    t.is(await countOfState(folder), state.leases.size);
  }
});

test('a file with any part missing, added or changed is not used, and named', async (t) => {
  const folder = await folderFor(t);
  const path = join(folder, 'last-known');
  await writeState(folder, known());
  const whole = await readFile(path);
  const damaged = fc.oneof(
    fc.nat(whole.length - 1).map((length) => whole.subarray(0, length)),
    fc
      .tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }))
      .map(([at, bits]) => whole.map((byte, index) => (index === at ? byte ^ bits : byte))),
    fc.uint8Array({ minLength: 1, maxLength: 50 }).map((more) => Buffer.concat([whole, more])),
    fc.uint8Array({ maxLength: 200 }),
  );
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      await writeFile(path, bytes);
      const { state, warning } = await readState(folder);
      t.is(state, undefined);
      t.true(warning?.startsWith(`${path}: `), warning);
    }),
    { numRuns: 200 },
  );
});

test('a file of another version is not used, and said to be that', async (t) => {
  const folder = await folderFor(t);
  await mkdir(folder);
  await writeFile(join(folder, 'last-known'), 'loden last-known 2\nwhatever\n');
  const { warning } = await readState(folder);
  t.regex(warning!, /another version/);
});

for (const [what, make] of [
  ['a folder', (path) => mkdir(path)],
  ['a pipe that nobody writes to', (path) => promisify(execFile)('mkfifo', [path])],
  ['a link to what has no end', (path) => symlink('/dev/zero', path)],
] as readonly (readonly [string, (path: string) => Promise<unknown>])[])
  test(`${what} in place of the file costs a warning, and no time`, async (t) => {
    const folder = await folderFor(t);
    await mkdir(folder);
    await make(join(folder, 'last-known'));
    t.deepEqual(await readState(folder), { warning: `${folder}/last-known: it is not a file` });
    t.is(await countOfState(folder), 0);
  });

test('a file of a size that no state has is not read', async (t) => {
  const folder = await folderFor(t);
  await mkdir(folder);
  const path = join(folder, 'last-known');
  await writeFile(path, '');
  await truncate(path, 1e12);
  t.regex((await readState(folder)).warning!, /it has 1000000000000 bytes/);
});

test('a folder that cannot be written is a FileError that names the file', async (t) => {
  const error = await t.throwsAsync(writeState('/proc/loden', known()), { instanceOf: FileError });
  t.is(error.path, '/proc/loden/last-known');
});
