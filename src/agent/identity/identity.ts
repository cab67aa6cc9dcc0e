import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../../errors.js';
import { readRegular } from '../../files/read-regular.js';
import { createWhole, errnoOf } from '../../files/write-whole.js';
import { currentMoment } from '../state/moment.js';

/** It has 33. */
const MOST_BYTES = 1000;

/**
 * This host's identity: 128 random bits in hex, made when first asked for and the same ever after, also for several
 * daemons that start at once on one folder. Throws FileError when the file cannot be read or written, or holds
 * something else: a new identity would make this host a stranger to its own lease, so that is left to a person.
 */
export async function loadIdentity(stateDir: string): Promise<string> {
  const path = join(stateDir, 'identity');
  const known = await knownIdentity(stateDir);
  if (known !== undefined) return known;
  const identity = randomBytes(16).toString('hex');
  if (await createWhole(path, `${identity}\n`, 0o644)) return identity;
  return loadIdentity(stateDir);
}

/** The identity if there is one already. Throws FileError as `loadIdentity` does. */
export async function knownIdentity(stateDir: string): Promise<string | undefined> {
  const path = join(stateDir, 'identity');
  let text: string;
  try {
    text = await readRegular(path, MOST_BYTES);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw new FileError(path, `cannot read this host's identity: ${(cause as Error).message}`, { cause });
  }
  if (/^[0-9a-f]{32}\n?$/.test(text)) return text.trim();
  const wanted = `${path} does not hold an identity (32 lower-case hex digits)`;
  throw new FileError(path, `${wanted}: restore it, or delete it and this host gets a new one`);
}

/**
 * For a host that cannot keep an identity of its own, as its disk is full or read-only: the same at each start, as long
 * as /etc/machine-id is. Clones share it.
 */
export async function substituteIdentity(): Promise<string> {
  const machine = await readFile('/etc/machine-id', 'utf8').catch(() => currentMoment().bootId);
  return createHash('sha256').update(`loden ${machine.trim()}`).digest('hex').slice(0, 32);
}
