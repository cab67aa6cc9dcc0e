import { createServer } from 'node:http';
import { OptionError } from '../errors.js';

export interface Health {
  /** What `/readyz` answers from now on; `reason` stands in the header `x-loden-reason` while it is not. */
  set(state: { ready: true } | { ready: false; reason: string }): void;
  close(): void;
}

/**
 * Serves flannel's two paths (main.go), with flannel's bodies to the byte: `/healthz` is 200 as long as the process lives, `/readyz` 200 or 503.
 * Port 0 serves nothing. Resolves when it listens; throws OptionError when it cannot.
 */
export async function serveHealth(ip: string, port: number): Promise<Health> {
  let state: { ready: true } | { ready: false; reason: string } = { ready: false, reason: 'starting' };
  if (port === 0) return { set: () => undefined, close: () => undefined };

  const server = createServer((request, response) => {
    const [status, body] = answer(request.url ?? '/');
    const reason = status === 503 && !state.ready ? { 'x-loden-reason': state.reason } : {};
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      connection: 'close',
      ...reason,
    });
    response.end(body);
  });

  function answer(url: string): [number, string] {
    const path = url.split('?')[0];
    if (path === '/healthz') return [200, 'flanneld is running'];
    if (path !== '/readyz') return [404, 'there are /healthz and /readyz'];
    return state.ready ? [200, 'flanneld is ready'] : [503, 'flanneld is not ready yet'];
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `cannot serve /healthz and /readyz at ${ip}:${port} (${cause.code}); set --healthz-port to a free port`;
      reject(new OptionError('--healthz-port', message, { cause }));
    });
    server.listen(port, ip, resolve);
  });
  return {
    set: (next) => {
      state = next;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
