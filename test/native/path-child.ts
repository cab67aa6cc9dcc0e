/** The other end of `remote-path`: the addon's packet path, in the namespace that this was started in. */
import { readdirSync } from 'node:fs';
import { loadNative, type NativeHandle } from '../../src/native.js';
import type { Event, Method, Request } from './remote-path.js';

const native = loadNative();
let path: NativeHandle | undefined;

function send(event: Event): void {
  if (process.connected) process.send?.(event);
}

const methods: Record<Method, (argument: never) => unknown> = {
  create: (device: string) => native.tunCreate(device),
  open: (options: Parameters<typeof native.udpOpen>[0]) => {
    path = native.udpOpen(options, (message, errno) => send({ kind: 'failed', message, errno }));
  },
  setPeers: (table: Buffer) => native.udpSetPeers(path!, table),
  features: () => native.udpFeatures(path!),
  counters: () => {
    const values = native.udpCounters(path!);
    return Object.fromEntries(native.udpCounterNames().map((name, i) => [name, Number(values[i])]));
  },
  close: () => native.udpClose(path!),
  descriptors: () => readdirSync('/proc/self/fd').length,
  threads: () => readdirSync('/proc/self/task').length,
};

process.on('message', ({ id, method, argument }: Request) => {
  try {
    send({ kind: 'done', id, result: methods[method](argument as never) });
  } catch (error) {
    const { message, errno } = error as Error & { errno?: number };
    send({ kind: 'thrown', id, message, errno });
  }
});
process.on('disconnect', () => process.exit());
send({ kind: 'ready' });
