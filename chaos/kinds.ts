import type { Kind } from './disturbance.js';
import { ETCD_KINDS } from './etcd-kinds.js';
import { HOST_KINDS } from './host-kinds.js';

/** One is as likely as another. */
export const KINDS: readonly Kind[] = [...HOST_KINDS, ...ETCD_KINDS];
