import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FaultResult } from './fault.js';

/** Next to the compiled tests: a file for each group that has run. */
export const RESULTS = fileURLToPath(new URL('../../faults/', import.meta.url));

export async function writeResults(group: string, results: readonly FaultResult[]): Promise<void> {
  await mkdir(RESULTS, { recursive: true });
  await writeFile(`${RESULTS}${group}.json`, `${JSON.stringify(results, undefined, 2)}\n`);
}

/** In the order of the groups; nothing for one that has not run. */
export async function readResults(groups: readonly string[]): Promise<FaultResult[]> {
  const texts = groups.map((group) => readFile(`${RESULTS}${group}.json`, 'utf8').catch(() => '[]'));
  return (await Promise.all(texts)).flatMap((text) => JSON.parse(text) as FaultResult[]);
}
