import { ConfigError, UplinkError } from '../errors.js';
import type { Uplink } from './backend.js';

/** The least that IPv4 asks of a link (RFC 791). */
const LEAST_MTU = 68;

interface MtuCheck {
  /** Bytes that containers may use. */
  readonly left: number;
  /** `Backend.MTU`, if it is given. */
  readonly configured: number | undefined;
  readonly uplink: Uplink;
  /** What takes the rest: `VXLAN's own 50`. */
  readonly by: string;
}

/** Throws ConfigError or UplinkError, whichever set the MTU, when it leaves containers less than IPv4 needs. */
export function checkMtu({ left, configured, uplink, by }: MtuCheck): void {
  if (left >= LEAST_MTU) return;
  const message = `leaves ${left} bytes for containers after ${by}; IPv4 needs ${LEAST_MTU}`;
  if (configured === undefined) throw new UplinkError(`the MTU of ${uplink.name}, ${uplink.mtu}, ${message}`);
  throw new ConfigError('Backend.MTU', `Backend.MTU ${configured} ${message}`, { value: configured });
}
