import { readFile } from 'node:fs/promises';

/** Of `/proc/stat`, in hundredths of a second (`USER_HZ`, proc(5)). */
const TICKS_PER_SECOND = 100;

/** Seconds that all processors of this machine together have worked since it started. */
export async function busySeconds(): Promise<number> {
  const [total] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const [user, nice, system, , , interrupts, softInterrupts] = total!.split(/ +/).slice(1).map(Number);
  return (user! + nice! + system! + interrupts! + softInterrupts!) / TICKS_PER_SECOND;
}
