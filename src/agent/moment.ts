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
