/**
 * Files that are there whole or not at all, whatever happens meanwhile: the text goes to a temporary file in the same
 * folder, is forced to the disk, and then takes the name at once. Folders on the way are made, 0755.
 */
import { randomBytes } from 'node:crypto';
import { chmod, chown, type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError } from '../errors.js';
import { makeFolder } from './make-folder.js';

/** Who may do what with a file. */
export interface Permissions {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The bits set-user-id and set-group-id. */
const SET_ID = 0o6000;

/**
 * Puts a text in place of whatever the file held. `mode` is exact, the umask is not applied; the owner is the caller
 * if it is given alone. Throws FileError.
 */
export async function writeWhole(path: string, text: string, mode: number | Permissions): Promise<void> {
  await throughTemporary(path, text, mode, async (temporary) => {
    await giveTo(temporary, mode);
    await rename(temporary, path);
  });
}

/** The same for a file that must not be there yet: false, and nothing is changed, if it is. Throws FileError. */
export async function createWhole(path: string, text: string, mode: number | Permissions): Promise<boolean> {
  try {
    // Unlike a rename, a link never replaces.
    await throughTemporary(path, text, mode, async (temporary) => {
      await link(temporary, path);
      await unlink(temporary);
      // Last, as the kernel lets nobody link another's file (fs.protected_hardlinks).
      await giveTo(path, mode);
    });
    return true;
  } catch (error) {
    const cause = error instanceof FileError ? error.cause : undefined;
    if (errnoOf(cause) === 'EEXIST' && (cause as NodeJS.ErrnoException).syscall === 'link') return false;
    throw error;
  }
}

/** `ENOENT` and the like; undefined for what is no error of the system. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

async function throughTemporary(
  path: string,
  text: string,
  mode: number | Permissions,
  putInPlace: (temporary: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    await makeFolder(folder);
    await withFile(temporary, 'wx', async (file) => {
      // Before the owner: then the file is ours, and a right to change modes of others' files is not needed.
      await file.chmod(typeof mode === 'number' ? mode : mode.mode);
      await file.writeFile(text);
      await file.sync();
    });
    await putInPlace(temporary);
    // The new name is in the folder, which has to reach the disk too.
    await withFile(folder, 'r', (file) => file.sync());
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw new FileError(path, `cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}

async function giveTo(path: string, permissions: number | Permissions): Promise<void> {
  if (typeof permissions === 'number') return;
  const { uid, gid, mode } = permissions;
  await chown(path, uid, gid);
  // What a change of the owner takes away.
  if ((mode & SET_ID) !== 0) await chmod(path, mode);
}

async function withFile(
  path: string,
  flags: string,
  use: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
