import type { Sysctl } from '../kernel/objects.js';

/** Without it the kernel drops what containers send to other hosts, and what arrives for them. */
export const IP_FORWARD: Sysctl = { kind: 'sysctl', path: 'net/ipv4/ip_forward', value: '1' };
