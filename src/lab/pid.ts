import { readFile } from 'node:fs/promises';

/** Sends signals to a process that may be gone already. False when it is. */
export function signalProcess(pid: number, ...signals: readonly (NodeJS.Signals | 0)[]): boolean {
  try {
    for (const signal of signals) process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

export function isAlive(pid: number): boolean {
  return signalProcess(pid, 0);
}

/** When a process began, in clock ticks since boot: with its id, what names a process for good. proc_pid_stat(5). */
export async function startTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The command's name, in brackets, may hold blanks and brackets; the start time is the 20th field after it.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}
