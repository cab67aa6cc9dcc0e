import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { packageRoot } from '../src/package-root.js';

/** Programs that are measured with the packet path inside. */
const AROUND_THE_PATH: readonly string[] = ['peer-table'];

/** Compiles the programs of `bench/c` into a new folder, which is the caller's to remove, and returns it. */
export async function compilePrograms(...names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loden-bench-c-'));
  const native = join(packageRoot(), 'native');
  const path = (await readdir(join(native, 'udp'))).filter((file) => file.endsWith('.c'));
  for (const name of names) {
    const sources = AROUND_THE_PATH.includes(name) ? path.map((file) => join(native, 'udp', file)) : [];
    const flags = ['-O3', '-D_GNU_SOURCE', '-pthread', '-I', native, '-o', join(folder, name)];
    await execa('gcc', [...flags, join(packageRoot(), 'bench', 'c', `${name}.c`), ...sources]);
  }
  return folder;
}
