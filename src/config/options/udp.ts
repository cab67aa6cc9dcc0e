import { bool, wholeNumber } from './kinds.js';
import type { OptionTable } from './table.js';

const group = 'udp backend';

export const UDP_OPTIONS = {
  udpAcceptAny: {
    flag: 'udp-accept-any',
    kind: bool,
    initial: false,
    help: 'take packets from any address: for peers behind NAT',
    group,
  },
  udpQueues: {
    flag: 'udp-queues',
    kind: wholeNumber('n', 0, 64),
    initial: 0,
    help: 'threads (default 0: by the processors)',
    group,
  },
} as const satisfies OptionTable;
