/** The dockerd that runs beside us, as /proc tells. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { errnoOf } from '../files/write-whole.js';

export interface Dockerd {
  readonly pid: number;
  /** Its arguments, without the program. */
  readonly words: readonly string[];
  /** Milliseconds since the epoch, give or take a hundredth of a second. */
  readonly startedAt: number;
}

/** Of /proc/PID/stat: the kernel's USER_HZ, the same on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * The one in our own network: a dockerd inside a container, or in another namespace, has a bridge of its own.
 * Undefined when none runs. `root` stands before /proc; empty for this machine.
 */
export async function findDockerd(root = ''): Promise<Dockerd | undefined> {
  const proc = `${root}/proc`;
  const pids = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const name = await readFile(`${proc}/${pid}/comm`, 'utf8').catch(() => '');
    if (name.trim() !== 'dockerd') continue;
    if (!(await sharesOurNetwork(proc, pid))) continue;
    const found = await describe(proc, Number(pid));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Without CAP_SYS_PTRACE, as in our unit's sandbox, the kernel does not tell of a process that has more rights than we.
 * Then one that is in no container counts as ours.
 */
async function sharesOurNetwork(proc: string, pid: string): Promise<boolean> {
  try {
    return (await readlink(`${proc}/${pid}/ns/net`)) === (await readlink(`${proc}/self/ns/net`));
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') return false;
    return (await processNamespaces(proc, pid)) === (await processNamespaces(proc, 'self'));
  }
}

/** How many a process is in, one inside the other: it has an id in each (`NSpid`, proc_pid_status(5)). */
async function processNamespaces(proc: string, pid: string): Promise<number> {
  const status = await readFile(`${proc}/${pid}/status`, 'utf8').catch(() => '');
  return /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split('\t').length ?? 0;
}

/** Undefined when it has ended meanwhile. */
async function describe(proc: string, pid: number): Promise<Dockerd | undefined> {
  try {
    const [commandLine, stat, uptime] = await Promise.all([
      readFile(`${proc}/${pid}/cmdline`, 'utf8'),
      readFile(`${proc}/${pid}/stat`, 'utf8'),
      readFile(`${proc}/uptime`, 'utf8'),
    ]);
    // A zombie has no command line.
    if (commandLine === '') return undefined;
    // proc_pid_stat(5): after the name in brackets, the 20th is the start in ticks since boot.
    const startSeconds = Number(stat.replace(/^.*\) /s, '').split(' ')[19]) / TICKS_PER_SECOND;
    const startedAt = Date.now() - (Number.parseFloat(uptime) - startSeconds) * 1000;
    return { pid, words: commandLine.split('\0').slice(1, -1), startedAt };
  } catch {
    return undefined;
  }
}
