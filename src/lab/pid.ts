import { readFileSync } from 'node:fs';

/** Sends signals to a process that may be gone already. False when it is. */
export function signalProcess(pid: number, ...signals: readonly NodeJS.Signals[]): boolean {
  try {
    for (const signal of signals) process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** False for a zombie, too: it has ended, and only its parent has not asked how. */
export function isAlive(pid: number): boolean {
  return startTime(pid) !== undefined;
}

/**
 * When a process began, in clock ticks since boot: with its id, what names a process for good. Undefined when it has
 * ended. The format is in proc_pid_stat(5).
 */
export function startTime(pid: number): string | undefined {
  // The command's name, in brackets, may hold blanks and brackets.
  const fields = readStat(pid)
    ?.replace(/^.*\) /s, '')
    .split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

function readStat(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
}
