import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it, 0755. One that is there is fine. Node's own `recursive` never ends where a folder
 * cannot be made though the one above it is there, as below /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, 0o755);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== path) {
      await makeFolder(parent);
      await mkdir(path, 0o755).catch((again) => thereOr(path, again));
    } else await thereOr(path, error);
  }
}

/** Another process may have been faster; and on a disk that is read-only, a folder that is there will do. */
async function thereOr(path: string, error: unknown): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) throw error;
}
