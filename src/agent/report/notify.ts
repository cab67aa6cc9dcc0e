import type { Logger } from 'pino';
import { loadNative } from '../../native.js';

/** Tells the service manager: `READY=1`, `STATUS=…`. Never throws. */
export type Notify = (message: string) => void;

/** The addon takes messages below 4 KiB; what `systemctl status` shows on one line is far shorter. */
const MOST_CHARACTERS = 500;

/**
 * sd_notify(3), without a process; does nothing when no service manager has asked for it. A notification that could
 * not be sent is no reason to end: the service manager acts on its absence by itself. It is logged once.
 */
export function notifySystemd(
  environment: { readonly NOTIFY_SOCKET?: string },
  log: Pick<Logger, 'warn'>,
): Notify {
  const path = environment.NOTIFY_SOCKET;
  if (!path) return () => undefined;
  let failed = false;
  return (message) => {
    try {
      loadNative().notify(path, message);
      failed = false;
    } catch (error) {
      if (!failed) log.warn({ error: (error as Error).message }, 'the service manager could not be notified');
      failed = true;
    }
  };
}

/** What `systemctl status` shows: one line, whatever the text. */
export function statusOf(text: string): string {
  return `STATUS=${text.replaceAll(/\s+/g, ' ').slice(0, MOST_CHARACTERS)}`;
}
