import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { packageRoot } from '../../src/package-root.js';

/** Makes a target of `c/Makefile` and returns the program's path; the folder is swept with what dead runs left. */
export async function compile(target: string): Promise<string> {
  const folder = join(tmpdir(), `loden-test-${process.pid}-c`);
  const makefile = join(packageRoot(), 'test', 'native', 'c');
  await execa('make', ['--silent', '-C', makefile, `OUT=${folder}`, `${folder}/${target}`]);
  return join(folder, target);
}
