import { constants } from 'node:os';
import { loadNative } from '../../native.js';
import type { Change } from '../kernel.js';
import type { Link } from '../objects.js';
import { sameObject } from '../same-object.js';
import type { Acknowledgement } from './acknowledgement.js';

/** Whether a TUN device is to be made. Netlink cannot ("not supported", drivers/net/tun.c): /dev/net/tun is asked for it. */
export function isNewTun(change: Change): change is Change & { readonly object: Link } {
  return change.kind === 'add' && change.object.kind === 'link' && change.object.type === 'tun';
}

/** Makes a persistent device, down and with a MTU of 1500; the rest is netlink's. What went wrong, if anything did. */
export function makeTun(name: string): Acknowledgement | undefined {
  try {
    loadNative().tunCreate(name);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') throw error;
    const missing = error.errno === constants.errno.ENOENT || error.errno === constants.errno.ENODEV;
    const advice = missing ? ' (load the kernel module tun; a container needs --device /dev/net/tun)' : '';
    return { errno: error.errno, text: `${error.message}${advice}` };
  }
}

/**
 * Devices that are being made in two steps. The kernel tells of each step; the first, of a device that is not yet as
 * asked for, would look like somebody's alteration of ours.
 */
export class Unfinished {
  readonly #wanted = new Map<string, Link>();

  begin(link: Link): void {
    this.#wanted.set(link.name, link);
  }

  /** Whether the link as told is one of the steps on the way. The one that ends it is not. */
  isStep(link: Link): boolean {
    const wanted = this.#wanted.get(link.name);
    if (wanted === undefined) return false;
    if (!sameObject(wanted, link)) return true;
    this.#wanted.delete(link.name);
    return false;
  }

  /** They will not become what was asked for, or were looked at as they are. */
  forget(name?: string): void {
    if (name === undefined) this.#wanted.clear();
    else this.#wanted.delete(name);
  }
}
