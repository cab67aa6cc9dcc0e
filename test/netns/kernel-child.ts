/** The other end of `remote-kernel`: serves the real kernel of the namespace that it was started in. */
import { once } from 'node:events';
import { KernelError } from '../../src/errors.js';
import type { Change, Ownership } from '../../src/kernel/kernel.js';
import { NetlinkKernel } from '../../src/kernel/netlink/netlink-kernel.js';
import type { FlatError, FlatReport, Request, Response } from './remote-kernel.js';

const kernel = new NetlinkKernel();
const calls = new Map<number, AbortController>();

function send(response: Response): void {
  if (process.connected) process.send?.(response);
}

function flatten(error: unknown): FlatError {
  const message = error instanceof Error ? error.message : String(error);
  return { errno: error instanceof KernelError ? error.errno : undefined, message };
}

async function call(request: Extract<Request, { method: string }>, signal: AbortSignal): Promise<unknown> {
  switch (request.method) {
    case 'dump':
      return kernel.dump(request.argument as Ownership, signal);
    case 'apply': {
      const { applied, failures } = await kernel.apply(request.argument as Change[], signal);
      const flat = failures.map(({ change, error }) => ({ change, error: flatten(error) }));
      return { applied, failures: flat } satisfies FlatReport;
    }
    case 'interfaces':
      return kernel.interfaces(signal);
    case 'routes':
      return kernel.routes(signal);
    case 'routeTo':
      return kernel.routeTo(request.argument as string, signal);
    case 'events':
      for await (const events of kernel.events(request.argument as Ownership, signal)) {
        send({ kind: 'batch', id: request.id, events });
      }
      return undefined;
    case 'onHostChange':
      kernel.onHostChange(() => send({ kind: 'batch', id: request.id, events: [] }), signal);
      return once(signal, 'abort');
  }
}

process.on('message', async (request: Request) => {
  const { id } = request;
  if ('abort' in request) {
    calls.get(id)?.abort();
    return;
  }
  const controller = new AbortController();
  calls.set(id, controller);
  try {
    send({ kind: 'done', id, result: await call(request, controller.signal) });
  } catch (error) {
    send({ kind: 'failed', id, error: flatten(error) });
  } finally {
    calls.delete(id);
  }
});
process.on('disconnect', () => process.exit());
send({ kind: 'ready' });
