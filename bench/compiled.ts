import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { packageRoot } from '../src/package-root.js';

/** Compiles the programs of `bench/c` into a new folder, which is the caller's to remove, and returns it. */
export async function compilePrograms(...names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loden-bench-c-'));
  for (const name of names)
    await execa('gcc', ['-O2', '-o', join(folder, name), join(packageRoot(), 'bench', 'c', `${name}.c`)]);
  return folder;
}
