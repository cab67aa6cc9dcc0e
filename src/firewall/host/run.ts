import { type ExecFileException, execFile } from 'node:child_process';
import { FirewallError } from '../../errors.js';

/** A lock on the tables that somebody holds is waited for; this bounds it. */
const PATIENCE_MS = 30_000;

/** What `iptables-save` may print: some 500,000 rules. */
const MOST_BYTES = 100 * 1024 * 1024;

/**
 * Runs one of the firewall's programs to its end; what it printed. Throws FirewallError. By Node's own means: a daemon
 * that starts waits for this, and to load a library for it takes longer than all of these programs together.
 */
export async function run(words: readonly string[], signal: AbortSignal, input = ''): Promise<string> {
  const [file, ...args] = words as [string, ...string[]];
  const env = { ...process.env, LC_ALL: 'C', PATH: systemPath(process.env.PATH ?? '') };
  const { error, stdout, stderr } = await new Promise<Ended>((resolve) => {
    const options = { timeout: PATIENCE_MS, maxBuffer: MOST_BYTES, signal, env };
    const child = execFile(file, args, options, (error, stdout, stderr) =>
      resolve({ error, stdout, stderr }),
    );
    // One that ends without reading says why by its status.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
  signal.throwIfAborted();
  if (error === null) return stdout;
  throw new FirewallError(`${words.join(' ')}: ${reason(error, stderr)}`, { cause: error });
}

interface Ended {
  readonly error: ExecFileException | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * npm puts its own folders first, where a package may have a program called `nft`; and a shell that came from plain
 * `su` lacks sbin.
 */
function systemPath(path: string): string {
  const folders = path.split(':').filter((folder) => !folder.endsWith('/node_modules/.bin'));
  return [...folders, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');
}

function reason(error: ExecFileException, stderr: string): string {
  if (error.code === 'ENOENT') return 'there is no such program on this host; install it';
  if (error.killed && error.code === null) return `no end after ${PATIENCE_MS / 1000} s`;
  const said = stderr.trim().replaceAll(/\s*\n\s*/g, '; ');
  return /permission denied|must be root|not permitted/i.test(said)
    ? `${said} (needs root, or the capability CAP_NET_ADMIN)`
    : said || `it ended with ${error.signal ?? error.code}`;
}
