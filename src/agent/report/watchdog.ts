/**
 * Proves to the service manager that the event loop turns: systemd kills and starts again a service that has not said
 * so for WatchdogSec. The timer only asks; the ping is sent from the loop's next check phase, after it has been
 * through its timers and its I/O. So a loop that is blocked, and a process that is stopped, ping no more.
 */
import type { Notify } from './notify.js';

/** As systemd sets them, see sd_watchdog_enabled(3). */
interface WatchdogEnvironment {
  readonly WATCHDOG_USEC?: string;
  readonly WATCHDOG_PID?: string;
}

/** Pings at half the time that the service manager allows, until the signal. Does nothing when it asks for none. */
export function pingWatchdog(environment: WatchdogEnvironment, notify: Notify, signal: AbortSignal): void {
  const everyMs = Number(environment.WATCHDOG_USEC) / 1000 / 2;
  const meant = environment.WATCHDOG_PID;
  if (!(everyMs > 0) || (meant && Number(meant) !== process.pid)) return;
  const ping = () => {
    if (!signal.aborted) notify('WATCHDOG=1');
  };
  const timer = setInterval(() => setImmediate(ping), everyMs).unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  ping();
}
