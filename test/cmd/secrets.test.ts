/**
 * No secret comes out of the programs: given by flag, variable, file or URL, rightly and wrongly, on every way to fail that
 * needs no more than an etcd, all that they print is looked through.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { waitFor } from '../../src/lab/wait.js';
import { Etcd, hasEtcd } from '../etcd/server.js';

const LODEND = fileURLToPath(new URL('../../cmd/lodend.js', import.meta.url));
const LODEN = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));

/** Each part is looked for: a password may be torn at its commas and blanks. */
const SECRETS = ['Xyzzy7', 'Plugh8', 'Frotz9'];
const [FIRST, SECOND, THIRD] = SECRETS;
const PASSWORD = `${FIRST},${SECOND}@${THIRD}`;
const KEY = `-----BEGIN PRIVATE KEY-----\n${FIRST}${SECOND}\n-----END PRIVATE KEY-----\n`;
const NOBODY = 'http://127.0.0.1:1';
const check = hasEtcd ? test : test.skip;

interface Run {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A text after which a program that goes on is stopped. */
  readonly stopAt?: RegExp;
}

async function outputOf(program: string, { words, env, stopAt }: Run): Promise<string> {
  const child = execa(process.execPath, [program, ...words], {
    env: { PATH: process.env.PATH, LODEN_DEBUG: '1', ...env },
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: 30_000,
  });
  let seen = '';
  child.all.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
  });
  if (stopAt) {
    await waitFor(`${words.join(' ')}: ${stopAt}`, () => stopAt.test(seen) || child.exitCode !== null);
    child.kill('SIGTERM');
  }
  return (await child).all;
}

/** That something was printed, and no secret in it. */
function keepsSecrets(t: ExecutionContext, what: string, output: string): void {
  t.true(output.length > 0, `${what} printed nothing`);
  for (const secret of SECRETS) t.false(output.includes(secret), `${what}:\n${output}`);
}

async function folderWith(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loden-secrets-'));
  t.teardown(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

/** Command lines that both programs end at. */
const MISTAKES: readonly Run[] = [
  { words: [`--etcd-password=${PASSWORD}`] },
  { words: [], env: { LODEND_ETCD_PASSWORD: PASSWORD } },
  { words: [], env: { FLANNELD_ETCD_PASSWORD: PASSWORD } },
  { words: [`--etcd-pasword=${PASSWORD}`] },
  { words: [`--etcd-pasword:${PASSWORD}`] },
  { words: ['--etcd-pasword', PASSWORD] },
  { words: [`--etcd-endpoints=http://root:${PASSWORD}@127.0.0.1:1`] },
  { words: [`--etcd-endpoints=root:${PASSWORD}@127.0.0.1:1`] },
  { words: [`--etcd-endpoints=http:/root:${PASSWORD}@127.0.0.1:1`] },
  { words: [`--etcd-endpoints=${NOBODY}/?token=${FIRST}`] },
  { words: [], env: { LODEND_ETCD_ENDPOINTS: `https://root:${PASSWORD}@127.0.0.1:1` } },
  { words: [`--etcd-keyfile=${KEY}`, '--etcd-certfile=/etc/hostname'] },
  { words: [`--etcd-cafile=${KEY}`] },
  { words: ['--etcd-certfile=/etc/hostname'], env: { LODEND_ETCD_KEYFILE: KEY } },
];

test('neither a mistaken flag nor a mistaken variable is shown with its secret', async (t) => {
  const secretFlags = [`--etcd-password=${PASSWORD}`, '--etcd-username=root'];
  for (const run of MISTAKES) {
    const what = JSON.stringify(run);
    keepsSecrets(t, `lodend ${what}`, await outputOf(LODEND, run));
    keepsSecrets(t, `loden ${what}`, await outputOf(LODEN, { ...run, words: ['leases', ...run.words] }));
  }
  const torn = { words: ['--etcd-password', FIRST!, SECOND!] };
  keepsSecrets(t, 'lodend, torn', await outputOf(LODEND, torn));
  for (const words of [['--resync=x'], ['--iface=none0', `--etcd-endpoints=${NOBODY},x`]])
    keepsSecrets(t, words.join(' '), await outputOf(LODEND, { words: [...secretFlags, ...words] }));
});

test('nor does help, a version or a page for the shell', async (t) => {
  const env = { LODEND_ETCD_PASSWORD: PASSWORD, LODEND_ETCD_KEYFILE: KEY, FLANNELD_ETCD_PASSWORD: PASSWORD };
  for (const words of [['--help'], ['--version']])
    keepsSecrets(t, `lodend ${words}`, await outputOf(LODEND, { words, env }));
  for (const words of [['--help'], ['leases', '--help'], ['plan', '--help'], ['completion', 'bash']])
    keepsSecrets(t, `loden ${words.join(' ')}`, await outputOf(LODEN, { words, env }));
});

test('nor do files that are no keys and certificates', async (t) => {
  const folder = await folderWith(t, { 'key.pem': KEY, 'token.txt': PASSWORD });
  const [key, token] = [join(folder, 'key.pem'), join(folder, 'token.txt')];
  for (const words of [
    [`--etcd-certfile=${key}`, `--etcd-keyfile=${key}`],
    [`--etcd-certfile=${token}`, `--etcd-keyfile=${key}`],
    [`--etcd-cafile=${key}`],
    [`--etcd-cafile=${token}`],
  ]) {
    const secure = ['--etcd-endpoints=https://127.0.0.1:1', ...words];
    keepsSecrets(t, `lodend ${words.join(' ')}`, await outputOf(LODEND, { words: secure }));
    keepsSecrets(t, `loden ${words.join(' ')}`, await outputOf(LODEN, { words: ['plan', ...secure] }));
  }
});

test('nor do tries to reach an etcd that is not there', async (t) => {
  const folder = await folderWith(t, {});
  const flags = ['--etcd-username=root', `--etcd-password=${PASSWORD}`];
  for (const scheme of ['http', 'https']) {
    const words = [`--etcd-endpoints=${scheme}://127.0.0.1:1`, ...flags];
    const daemon = {
      words: [...words, `--state-dir=${folder}`, '--log-level=trace'],
      stopAt: /waiting for etcd/,
    };
    keepsSecrets(t, `lodend, ${scheme}`, await outputOf(LODEND, daemon));
    for (const command of [
      ['leases'],
      ['config', 'show'],
      ['plan'],
      ['leases', 'release', '10.5.1.0/24', '--yes'],
    ])
      keepsSecrets(t, command.join(' '), await outputOf(LODEN, { words: [...command, ...words] }));
  }
});

check('nor does an etcd that refuses a password, or whose role lacks rights', async (t) => {
  const etcd = await Etcd.start();
  t.teardown(() => etcd.stop());
  const folder = await folderWith(t, {});
  for (const line of [`user add root:${PASSWORD}`, 'user grant-role root root', `user add poor:${PASSWORD}`])
    await etcd.control(...line.split(' '));
  await etcd.control('auth', 'enable');
  const endpoint = `--etcd-endpoints=${etcd.endpoint}`;
  for (const [user, password] of [
    ['root', `not ${PASSWORD}`],
    ['nobody', PASSWORD],
    ['poor', PASSWORD],
  ] as const) {
    const access = { words: [endpoint, `--etcd-username=${user}`], env: { LODEND_ETCD_PASSWORD: password } };
    const words = [...access.words, `--state-dir=${folder}`, '--log-level=trace'];
    const daemon = await outputOf(LODEND, { ...access, words, stopAt: /waiting for etcd/ });
    t.regex(daemon, /does not (know|permit)/);
    keepsSecrets(t, `lodend as ${user}`, daemon);
    keepsSecrets(
      t,
      `loden as ${user}`,
      await outputOf(LODEN, { ...access, words: ['leases', ...access.words] }),
    );
  }
});
