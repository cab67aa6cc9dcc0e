import type { Dirent } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';

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
  // Links in version 1 (cpu is cpu,cpuacct) show one hierarchy twice.
  await rmdir(group).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function directories(path: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${path}/${name}`);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
