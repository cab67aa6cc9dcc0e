/**
 * Tells when the ground under a membership has changed: when the uplink that would be chosen now is not the one that
 * it runs on. A notification of the kernel's only says when to look; what is seen is what counts, so a missed or
 * a meaningless one does no harm.
 *
 * No uplink at all is no change: a cable that is out, a device that is made again, an address that a DHCP client takes
 * away before it puts another. There is nothing to go on with, so it is waited for.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Uplink } from '../../backend/backend.js';
import { KernelError, UplinkError } from '../../errors.js';
import type { Kernel } from '../../kernel/kernel.js';
import { systemClock } from '../../lease/clock.js';
import { formatPrefix } from '../../net/prefix.js';
import { Bell } from '../bell.js';
import { findUplink, type UplinkRequest } from './uplink.js';

/** Whoever changes an uplink changes several things of it, one right after the other. */
const SETTLE_MS = 150;

interface UplinkWatchInput {
  readonly kernel: Pick<Kernel, 'interfaces' | 'routes' | 'routeTo' | 'onHostChange'>;
  readonly request: UplinkRequest;
  /** The one in use. */
  readonly uplink: Uplink;
  /** There is a look every so many milliseconds, notified of something or not. */
  readonly resyncMs: number;
  /** Told after each look: why there is no uplink at all, undefined when there is one. */
  readonly onLook?: (missing: string | undefined) => void;
}

export interface UplinkChange {
  /** The one to use from now on. */
  readonly uplink: Uplink;
  /** What differs: `address 192.0.2.8, was 192.0.2.7`. */
  readonly reason: string;
}

/** Settles with the first change, also one from before the call. Rejects with the signal's reason. */
export async function uplinkChanged(input: UplinkWatchInput, signal: AbortSignal): Promise<UplinkChange> {
  const ended = new AbortController();
  const bell = new Bell();
  let notified = true;
  const hear = () => {
    notified = true;
    bell.ring();
  };
  input.kernel.onHostChange(hear, AbortSignal.any([signal, ended.signal]));
  try {
    for (;;) {
      if (!notified) await bell.wait(input.resyncMs, signal);
      await systemClock.sleep(SETTLE_MS, signal);
      notified = false;
      const change = await look(input, signal);
      if (change) return change;
    }
  } finally {
    ended.abort();
  }
}

async function look(
  { kernel, request, uplink: before, onLook }: UplinkWatchInput,
  signal: AbortSignal,
): Promise<UplinkChange | undefined> {
  try {
    const { uplink } = await findUplink(request, kernel, signal);
    onLook?.(undefined);
    const reason = difference(before, uplink);
    return reason === undefined ? undefined : { uplink, reason };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UplinkError) onLook?.(error.message);
    if (error instanceof UplinkError || error instanceof KernelError) return undefined;
    throw error;
  }
}

function difference(before: Uplink, after: Uplink): string | undefined {
  const [old, now] = [aspects(before), aspects(after)];
  const changes = Object.keys(now).filter((aspect) => !isDeepStrictEqual(old[aspect], now[aspect]));
  if (changes.length === 0) return undefined;
  return changes.map((aspect) => `${aspect} ${now[aspect]}, was ${old[aspect]}`).join('; ');
}

/** What a plan depends on, for people. A second address of a network that is there already changes nothing. */
function aspects({ name, index, mtu, address, networks, publicIp }: Uplink): Record<string, string> {
  return {
    interface: name,
    index: String(index),
    MTU: String(mtu),
    address,
    networks: [...new Set(networks.map(formatPrefix))].sort().join(' '),
    'public IP': publicIp,
  };
}
