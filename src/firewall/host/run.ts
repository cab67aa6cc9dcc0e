import { execa } from 'execa';
import { FirewallError } from '../../errors.js';

/** A lock on the tables that somebody holds is waited for; this bounds it. */
const PATIENCE_MS = 30_000;

/** Runs one of the firewall's programs to its end; what it printed. Throws FirewallError. */
export async function run(words: readonly string[], signal: AbortSignal, input?: string): Promise<string> {
  const [file, ...args] = words as [string, ...string[]];
  const result = await execa(file, args, {
    reject: false,
    timeout: PATIENCE_MS,
    cancelSignal: signal,
    env: { LC_ALL: 'C', PATH: systemPath(process.env.PATH ?? '') },
    stripFinalNewline: false,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
  signal.throwIfAborted();
  if (result.exitCode === 0) return result.stdout;
  throw new FirewallError(`${words.join(' ')}: ${reason(result)}`, { cause: result.cause });
}

/**
 * npm puts its own folders first, where a package may have a program called `nft`; and a shell that came from plain
 * `su` lacks sbin.
 */
function systemPath(path: string): string {
  const folders = path.split(':').filter((folder) => !folder.endsWith('/node_modules/.bin'));
  return [...folders, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');
}

interface Failure {
  readonly code?: string | undefined;
  readonly timedOut: boolean;
  readonly stderr: string;
  readonly shortMessage?: string | undefined;
}

function reason(result: Failure): string {
  if (result.code === 'ENOENT') return 'there is no such program on this host; install it';
  if (result.timedOut) return `no end after ${PATIENCE_MS / 1000} s`;
  const stderr = result.stderr.trim().replaceAll(/\s*\n\s*/g, '; ');
  return /permission denied|must be root|not permitted/i.test(stderr)
    ? `${stderr} (needs root, or the capability CAP_NET_ADMIN)`
    : stderr || (result.shortMessage ?? 'it failed');
}
