/** The Docker engines that `scripts/engines.sh` fetched for the tests. */
import { existsSync } from 'node:fs';
import test, { type Implementation } from 'ava';

/** The first of each line that Debian has: what hosts out there run. */
export const ENGINES = ['20.10', '26', '28'] as const;
export type EngineName = (typeof ENGINES)[number];

const FOLDER = process.env.LODEN_ENGINES || '/var/cache/loden-engines';

/** A root file system with busybox, curl, ping and iperf3. */
export const IMAGE_FILE = `${FOLDER}/image.tar`;

/** Holds `bin` and `lib`. */
export function engineFolder(name: EngineName): string {
  return `${FOLDER}/${name}`;
}

export function hasEngine(name: EngineName): boolean {
  return process.getuid?.() === 0 && existsSync(engineFolder(name)) && existsSync(IMAGE_FILE);
}

/**
 * Adds a test where the engine can run, a skipped one elsewhere. One after another within a file: engines are heavy.
 */
export function testOn(name: EngineName): (title: string, run: Implementation<[]>) => void {
  return hasEngine(name) ? test.serial : test.serial.skip;
}
