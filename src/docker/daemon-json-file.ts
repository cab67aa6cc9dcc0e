import { readFile, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { FileError } from '../errors.js';
import { createWhole, errnoOf, type Permissions, writeWhole } from '../files/write-whole.js';
import type { BridgeSettings } from './bridge.js';
import { type DaemonJsonEdit, editDaemonJson } from './daemon-json.js';
import type { DockerFlag } from './flags.js';

/** What is added to the file's name for the copy of what it held before our first change. */
export const BACKUP_SUFFIX = '.before-loden';

interface FoundFile {
  /** Where the text is: the file's own path, or where a link of that name leads. */
  readonly path: string;
  readonly text: string;
  readonly permissions: Permissions;
}

/**
 * Puts our settings into daemon.json, which is made with its folder if absent. Keeps a copy of what it held before the
 * first change ever; mode and owner stay. Throws FileError; the file then is as it was.
 */
export async function updateDaemonJson(
  path: string,
  settings: BridgeSettings,
  flags: readonly DockerFlag[],
): Promise<DaemonJsonEdit> {
  const elsewhere = flags.find(({ name, value }) => name === 'config-file' && value !== path);
  if (elsewhere !== undefined && !(await isSameFile(elsewhere.value, path))) {
    const reason = `dockerd reads ${elsewhere.value} instead (${elsewhere.source}): set --docker-config to that`;
    return { kind: 'refused', reason };
  }
  const found = await findFile(path);
  if (typeof found === 'string') return { kind: 'refused', reason: found };
  const edit = editDaemonJson(found?.text, settings, flags);
  if (edit.kind !== 'changed') return edit;
  if (found !== undefined) await createWhole(path + BACKUP_SUFFIX, found.text, found.permissions);
  await writeWhole(found?.path ?? (await leadsTo(path)), edit.text, found?.permissions ?? 0o644);
  return edit;
}

/** Undefined when there is none; a sentence when its bytes are no text. Throws FileError. */
export async function readDaemonJson(path: string): Promise<string | undefined> {
  const found = await findFile(path);
  if (typeof found === 'string') throw new FileError(path, `${path}: ${found}`);
  return found?.text;
}

async function findFile(path: string): Promise<FoundFile | string | undefined> {
  try {
    const target = await realpath(path);
    const [bytes, { mode, uid, gid }] = await Promise.all([readFile(target), stat(target)]);
    const text = decode(bytes);
    if (text === undefined) return 'it is not UTF-8 text';
    return { path: target, text, permissions: { mode: mode & 0o7777, uid, gid } };
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw new FileError(path, `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Where a link leads, whose file is yet to be made; the path itself when it is none. */
async function leadsTo(path: string): Promise<string> {
  const target = await readlink(path).catch(() => undefined);
  return target === undefined ? path : resolve(dirname(path), target);
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => realpath(path).catch(() => undefined)));
  return a !== undefined && a === b;
}

/** Undefined for bytes that would not come out again as they are. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
