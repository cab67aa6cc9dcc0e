import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { FileError } from '../../errors.js';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const NETWORK = '/proc/self/ns/net';

/**
 * Names this network stack from its making to its end: the kernel's boot, and which of its namespaces. Every start of
 * the daemon on a host gives the same until the host is booted; a clone of it gives another. Throws FileError.
 */
export async function currentBoot(): Promise<string> {
  try {
    const parts = await Promise.all([readFile(BOOT_ID, 'utf8'), readlink(NETWORK)]);
    return createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 16);
  } catch (cause) {
    throw new FileError(BOOT_ID, `cannot tell one boot from another: ${(cause as Error).message}`, { cause });
  }
}
