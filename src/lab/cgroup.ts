import type { Dirent } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { waitFor } from './wait.js';

const ROOT = '/sys/fs/cgroup';

/**
 * Removes empty control groups, at the top of every hierarchy there is (one in version 2, one a controller in
 * version 1), with those inside them. Who put processes there ends them first.
 */
export async function removeCgroups(isMine: (name: string) => boolean): Promise<void> {
  const hierarchies = [ROOT, ...(await directories(ROOT))];
  for (const hierarchy of hierarchies)
    for (const group of await directories(hierarchy)) if (isMine(baseName(group))) await removeTree(group);
}

async function removeTree(group: string): Promise<void> {
  for (const inner of await directories(group)) await removeTree(inner);
  await waitFor(`end of the control group ${group}`, () => remove(group));
}

/** False while the kernel still takes leave of a process that was killed in it. */
async function remove(group: string): Promise<boolean> {
  try {
    await rmdir(group);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EBUSY') return false;
    // Links in version 1 (cpu is cpu,cpuacct) show one hierarchy twice.
    if (code === 'ENOENT') return true;
    throw error;
  }
}

async function directories(path: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${path}/${name}`);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
