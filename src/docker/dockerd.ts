/** The dockerd that runs beside us, as /proc tells. */
import { readdir, readFile, readlink } from 'node:fs/promises';

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
  const ours = await readlink(`${proc}/self/ns/net`).catch(() => '');
  const pids = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const name = await readFile(`${proc}/${pid}/comm`, 'utf8').catch(() => '');
    if (name.trim() !== 'dockerd') continue;
    if ((await readlink(`${proc}/${pid}/ns/net`).catch(() => undefined)) !== ours) continue;
    const found = await describe(proc, Number(pid));
    if (found !== undefined) return found;
  }
  return undefined;
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
