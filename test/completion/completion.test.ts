/** The shells themselves complete, with the scripts that `loden completion` prints. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { DAEMON_OPTIONS } from '../../src/config/options/daemon.js';

const TOOL = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));

let folder: string;
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'loden-completion-'));
  await writeFile(join(folder, 'net.json'), '{}');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await execa(process.execPath, [TOOL, 'completion', shell]);
    await writeFile(join(folder, shell), stdout);
  }
});
test.after.always(() => rm(folder, { recursive: true }));

/** Asks a shell what may stand at the end of a line; a blank at its end begins a new word. */
type Complete = (line: string) => Promise<string[]>;

async function printed(file: string, args: readonly string[]): Promise<string[]> {
  const { stdout } = await execa(file, args, { cwd: folder });
  return stdout.split('\n').filter(Boolean).sort();
}

/** As readline does: it splits words at `=`, and calls the function that the script registered. */
const bash: Complete = (line) =>
  printed('bash', [
    '-uc',
    `source ./bash
     compopt() { :; }
     COMP_WORDS=("\${@}") COMP_CWORD=$(($# - 1))
     complete -p loden lodend >/dev/null
     _loden
     printf '%s\\n' "\${COMPREPLY[@]}"`,
    'bash',
    ...line.split(' ').flatMap((word) => word.split(/(=)/)),
  ]);

/** The function runs as in zsh's completion system, whose own parts print what they are given. */
const zsh: Complete = (line) =>
  printed('zsh', [
    '-fc',
    `compdef() { :; }
     source ./zsh
     matching() { for word; do [[ $word == $PREFIX* ]] && print -r -- $word; done; true }
     compset() { PREFIX=\${PREFIX#*=}; }
     compadd() { shift; matching "$@"; }
     _describe() { matching "\${(@)\${(@P)4}%%:*}"; }
     _files() { matching *(N); }
     words=("$@") CURRENT=$# PREFIX=\${@[-1]}
     _loden`,
    'zsh',
    ...line.split(' '),
  ]);

const fish: Complete = async (line) => {
  const lines = await printed('fish', ['--no-config', '-c', 'source ./fish; complete -C $argv[1]', line]);
  return lines.map((text) => text.split('\t')[0]!);
};

for (const [shell, complete] of Object.entries({ bash, zsh, fish })) {
  const there = spawnSync(shell, ['--version']).status === 0;
  const title = (text: string) => (there ? `${shell} ${text}` : `${shell} ${text} (skipped: no ${shell})`);
  const inShell = there ? test : test.skip;

  inShell(title('completes commands, and commands of commands'), async (t) => {
    t.deepEqual(await complete('loden le'), ['leases']);
    t.deepEqual(await complete('loden lab d'), ['demo', 'down']);
    t.deepEqual(await complete('/usr/bin/loden lab u'), ['up']);
    t.deepEqual(await complete('loden completion z'), ['zsh']);
  });

  inShell(title('completes the flags of the command that it is at'), async (t) => {
    t.deepEqual(await complete('loden lab up --ho'), ['--hosts']);
    t.deepEqual(await complete('loden lab up --name x --ba'), ['--backend']);
    t.deepEqual(await complete('loden lab down --ho'), []);
    t.deepEqual(await complete('loden leases --etcd-pre'), ['--etcd-prefix']);
    t.deepEqual(await complete('loden leases --hel'), ['--help']);
  });

  inShell(title('completes every option of the daemon that the help lists'), async (t) => {
    const listed = Object.values(DAEMON_OPTIONS).filter(({ help }) => help !== '');
    const flags = [...listed.map(({ flag }) => `--${flag}`), '--help'].sort();
    t.deepEqual((await complete('lodend --')).sort(), flags);
  });

  inShell(title('completes values: words, files, and nothing where only the user knows'), async (t) => {
    t.deepEqual(await complete('lodend --log-format '), ['json', 'text']);
    t.deepEqual(await complete('lodend --etcd-cafile n'), ['net.json']);
    t.deepEqual(await complete('loden config check n'), ['net.json']);
    t.deepEqual(await complete('loden lab up --name '), []);
    const joined = await complete('lodend --log-level=d');
    t.deepEqual(
      joined.map((text) => text.replace('--log-level=', '')),
      ['debug'],
    );
  });
}

test('a shell that there is no script for is refused', async (t) => {
  const { exitCode, stderr } = await execa(process.execPath, [TOOL, 'completion', 'tcsh'], { reject: false });
  t.is(exitCode, 2);
  t.regex(stderr, /bash, zsh, fish/);
});
