import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** A moment as this host saw it, to be compared with a later one even after a restart of the daemon or the host. */
export interface Moment {
  /** Milliseconds since 1970. This clock may be set, and may be wrong. */
  readonly wallMs: number;
  /** Which start of the kernel `sinceBootMs` counts from. */
  readonly bootId: string;
  /** CLOCK_BOOTTIME: nobody can set it, and it goes on while the machine is suspended. */
  readonly sinceBootMs: number;
}

let bootId: string | undefined;

export function currentMoment(): Moment {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return { wallMs: Date.now(), bootId, sinceBootMs: Math.round(uptime() * 1000) };
}

export function momentAgo(ms: number): Moment {
  const { wallMs, bootId: boot, sinceBootMs } = currentMoment();
  const ago = Math.max(Math.round(ms), 0);
  return { wallMs: Math.max(wallMs - ago, 0), bootId: boot, sinceBootMs: Math.max(sinceBootMs - ago, 0) };
}

/** Milliseconds; negative where the wall clock has to be asked and shows that it went back. */
export function elapsedMs(from: Moment, to: Moment): number {
  if (from.bootId === to.bootId) return to.sinceBootMs - from.sinceBootMs;
  const shown = to.wallMs - from.wallMs;
  // The machine has been up for so long, whatever its clock says.
  return shown < 0 ? shown : Math.max(shown, to.sinceBootMs);
}
