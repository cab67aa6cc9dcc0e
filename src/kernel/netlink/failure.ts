/** Turns what the kernel or the addon answers into KernelError. */
import { constants } from 'node:os';
import { KernelError } from '../../errors.js';
import type { Change } from '../kernel.js';
import { describe } from '../text.js';
import { type Acknowledgement, errnoName, explain } from './acknowledgement.js';

const { EAGAIN, EBUSY, EINTR, ENETDOWN, ENETUNREACH, ENOBUFS, ENODEV, ENOENT, ENOMEM } = constants.errno;
const { EADDRNOTAVAIL, EPERM, ESRCH, ETIMEDOUT } = constants.errno;

/** What may pass by itself: memory, a busy kernel, a link that is about to come back. */
const RETRYABLE = new Set([EAGAIN, EBUSY, EINTR, ENETDOWN, ENETUNREACH, ENOBUFS, ENODEV, ENOMEM, ETIMEDOUT]);
const ABSENT = new Set([ESRCH, ENOENT, ENODEV, EADDRNOTAVAIL]);

const VERBS = { add: 'add', replace: 'change', remove: 'remove' } as const;
const NOUNS = {
  link: 'link',
  address: 'address',
  neighbour: 'neighbour',
  fdb: 'FDB entry',
  route: 'route',
  sysctl: 'sysctl',
} as const;

/** What the kernel says when the thing to be removed is not there. */
export function meansAbsent(errno: number): boolean {
  return ABSENT.has(errno);
}

export function kernelError(doing: string, acknowledgement: Acknowledgement, cause?: unknown): KernelError {
  const { errno } = acknowledgement;
  const advice = errno === EPERM ? ' (needs root, or the capability CAP_NET_ADMIN)' : '';
  const name = errnoName(errno);
  return new KernelError(name, `cannot ${doing}: ${name}: ${explain(acknowledgement)}${advice}`, {
    cause,
    retryable: RETRYABLE.has(errno),
  });
}

export function changeError(change: Change, acknowledgement: Acknowledgement): KernelError {
  const { kind, object } = change;
  return kernelError(`${VERBS[kind]} ${NOUNS[object.kind]} ${describe(object)}`, acknowledgement);
}

/** For what the addon throws: an Error with a positive `errno`. Anything else is a defect and is passed on. */
export function nativeError(doing: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return error;
  return kernelError(doing, { errno: error.errno, text: error.message }, error);
}
