/** Puts files in place, and takes them away again; never touches one that somebody has edited. */
import { readFile, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../errors.js';
import { errnoOf, writeWhole } from '../files/write-whole.js';
import { FOLDERS, type Placement } from './placement.js';
import { isUntouched, stamped } from './stamp.js';

/** `kept`: somebody edited it, or it was never ours. `absent`: there was nothing to remove. */
export type Action = 'created' | 'updated' | 'unchanged' | 'kept' | 'removed' | 'absent';

export interface Outcome {
  readonly path: string;
  readonly action: Action;
}

interface Where {
  /** Prepended to every target; empty for this host. */
  readonly root: string;
  /** Tell only what would be done. */
  readonly dryRun: boolean;
}

/** Throws FileError. */
export async function place(placement: Placement, text: string, { root, dryRun }: Where): Promise<Outcome> {
  const path = join(root, placement.target);
  const present = await readIfThere(path);
  const wanted = stamped(text);
  const outcome = (action: Action) => ({ path: placement.target, action });
  if (present === wanted) return outcome('unchanged');
  if (present !== undefined && !isUntouched(present)) return outcome('kept');
  if (!dryRun) await writeWhole(path, wanted, placement.mode);
  return outcome(present === undefined ? 'created' : 'updated');
}

/** Removes the file if it is as it was placed. Throws FileError. */
export async function displace(placement: Placement, { root, dryRun }: Where): Promise<Outcome> {
  const path = join(root, placement.target);
  const present = await readIfThere(path);
  const outcome = (action: Action) => ({ path: placement.target, action });
  if (present === undefined) return outcome('absent');
  if (!isUntouched(present)) return outcome('kept');
  if (!dryRun) await attempt(path, 'remove', () => unlink(path));
  return outcome('removed');
}

/** Removes the folders that were made for our files and are empty now. Throws FileError. */
export async function removeEmptyFolders({ root, dryRun }: Where): Promise<void> {
  if (dryRun) return;
  for (const folder of FOLDERS) {
    const path = join(root, folder);
    await rmdir(path).catch((cause) => {
      if (errnoOf(cause) !== 'ENOTEMPTY' && errnoOf(cause) !== 'ENOENT') throw failure(path, 'remove', cause);
    });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return attempt(path, 'read', () =>
    readFile(path, 'utf8').catch((cause) => {
      if (errnoOf(cause) === 'ENOENT') return undefined;
      throw cause;
    }),
  );
}

async function attempt<T>(path: string, what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw failure(path, what, cause);
  }
}

function failure(path: string, what: string, cause: unknown): FileError {
  return new FileError(path, `cannot ${what} ${path}: ${(cause as Error).message}`, { cause });
}
