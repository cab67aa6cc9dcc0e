/** Values under /proc/sys. Those under `net/` are of the network namespace that the process is in. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Sysctl } from './objects.js';

/** Undefined where this kernel has no such value (IPv6 switched off, a module that is not there). */
export async function readSysctl(path: string): Promise<Sysctl | undefined> {
  try {
    const value = (await readFile(`/proc/sys/${path}`, 'utf8')).trim();
    return { kind: 'sysctl', path, value };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** What went wrong; undefined when it is set, and when there is no such value to set. */
export async function writeSysctl(sysctl: Sysctl): Promise<{ errno: number; text: string } | undefined> {
  try {
    // Without O_CREAT: /proc answers that with EACCES where the value is absent.
    await writeFile(`/proc/sys/${sysctl.path}`, sysctl.value, { flag: 'r+' });
    return undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    const { errno, message } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return { errno: Math.abs(errno), text: message };
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
