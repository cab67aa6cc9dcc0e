import { loadNative } from '../native.js';

/** Tells the service manager: `READY=1`, `STATUS=…`. */
export type Notify = (message: string) => void;

/** sd_notify(3), without a process; does nothing when no service manager has asked for it. */
export function notifySystemd(environment: { readonly NOTIFY_SOCKET?: string }): Notify {
  const path = environment.NOTIFY_SOCKET;
  return path ? (message) => loadNative().notify(path, message) : () => undefined;
}
