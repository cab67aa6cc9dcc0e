import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; rejects with the signal's reason when that is aborted first. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
