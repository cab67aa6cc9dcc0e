/** Files whose place may hold something else by now: what has no end, or never answers, must not hold up who reads it. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Rejects with the system's error, and where there is no file but a pipe, a device or a folder. The caller closes it. */
export async function openRegular(path: string): Promise<FileHandle> {
  // A pipe without a writer would be waited for, in a thread that nothing can end.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error('it is not a file');
}

/** Rejects as `openRegular` does, and when there is more than so many bytes. */
export async function readRegular(path: string, mostBytes: number): Promise<string> {
  const file = await openRegular(path);
  try {
    const { size } = await file.stat();
    if (size > mostBytes) throw new Error(`it has ${size} bytes, and ${mostBytes} would be many`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
