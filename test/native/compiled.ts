import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { packageRoot } from '../../src/package-root.js';

const folder = join(tmpdir(), `loden-test-${process.pid}-c`);
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Makes a target of `c/Makefile` and returns the program's path, which is there as long as this process. */
export async function compile(target: string): Promise<string> {
  const makefile = join(packageRoot(), 'test', 'native', 'c');
  await execa('make', ['--silent', '-C', makefile, `OUT=${folder}`, `${folder}/${target}`]);
  return join(folder, target);
}
