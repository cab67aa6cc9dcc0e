import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FirewallError } from '../../errors.js';

/** A lock on the tables that somebody holds is waited for; this bounds it. */
const PATIENCE_MS = 30_000;

/** More than any ruleset. */
const LONGEST_OUTPUT = 2 ** 30;

/**
 * Runs one of the firewall's programs to its end; what it printed. Throws FirewallError. By Node's own means: execa
 * takes 60 ms to load, and the daemon runs these before it is ready.
 */
export async function run(words: readonly string[], signal: AbortSignal, input = ''): Promise<string> {
  const [file, ...args] = words as [string, ...string[]];
  const env = { ...process.env, LC_ALL: 'C', PATH: systemPath() };
  const options = { env, signal, timeout: PATIENCE_MS, maxBuffer: LONGEST_OUTPUT };
  try {
    const running = promisify(execFile)(file, args, options);
    // A program that ends before it has read all says why by its exit code.
    running.child.stdin?.on('error', () => undefined).end(input);
    return (await running).stdout;
  } catch (cause) {
    signal.throwIfAborted();
    throw new FirewallError(`${words.join(' ')}: ${reason(cause as Failure)}`, { cause });
  }
}

/** Whether there is a program of that name. */
export async function isInstalled(program: string): Promise<boolean> {
  const looks = systemPath()
    .split(':')
    .map((folder) => access(join(folder, program), constants.X_OK));
  return (await Promise.allSettled(looks)).some(({ status }) => status === 'fulfilled');
}

/**
 * npm puts its own folders first, where a package may have a program called `nft`; and a shell that came from plain
 * `su` lacks sbin.
 */
function systemPath(): string {
  const folders = (process.env.PATH ?? '')
    .split(':')
    .filter((folder) => !folder.endsWith('/node_modules/.bin'));
  return [...folders, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');
}

/** What Node's execFile rejects with. */
interface Failure {
  readonly code?: string | number | null;
  readonly killed?: boolean;
  readonly stderr?: string;
  readonly message: string;
}

function reason({ code, killed, stderr = '', message }: Failure): string {
  if (code === 'ENOENT') return 'there is no such program on this host; install it';
  if (killed) return `no end after ${PATIENCE_MS / 1000} s`;
  const said = stderr.trim().replaceAll(/\s*\n\s*/g, '; ');
  return /permission denied|must be root|not permitted/i.test(said)
    ? `${said} (needs root, or the capability CAP_NET_ADMIN)`
    : said || message;
}
