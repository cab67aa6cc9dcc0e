/**
 * What a process holds, looked at whenever the network rests, and whether that grows. One reading says little: Node takes
 * memory as long as it is cheap, and a connection may be on its way out. So the least of the last third is held against
 * the most of the first third.
 */
import { readdir, readFile } from 'node:fs/promises';

export interface Footprint {
  /** Megabytes of 2^20 bytes. */
  readonly memoryMb: number;
  readonly descriptors: number;
}

/** Fewer readings than this tell nothing. */
const ENOUGH = 9;
const TOLERANCE: Footprint = { memoryMb: 15, descriptors: 8 };

/** Undefined when the process has ended. */
export async function footprintOf(pid: number): Promise<Footprint | undefined> {
  try {
    const [status, descriptors] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ]);
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    return Number.isNaN(kilobytes)
      ? undefined
      : { memoryMb: Math.round(kilobytes / 1024), descriptors: descriptors.length };
  } catch {
    return undefined;
  }
}

/** A sentence for each of its holdings that grows. */
export function growth(who: string, readings: readonly Footprint[]): string[] {
  if (readings.length < ENOUGH) return [];
  const third = Math.floor(readings.length / 3);
  return (Object.keys(TOLERANCE) as (keyof Footprint)[]).flatMap((what) => {
    const values = readings.map((reading) => reading[what]);
    const [most, least] = [Math.max(...values.slice(0, third)), Math.min(...values.slice(-third))];
    return least > most + TOLERANCE[what] ? [`${who} grows: ${what} ${values.join(', ')}`] : [];
  });
}
