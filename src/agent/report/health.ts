import { createServer } from 'node:http';
import { OptionError } from '../../errors.js';
import { CONTENT_TYPE, exposition, type Metric } from './exposition.js';

type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

export interface Health {
  /** What `/readyz` answers from now on; `reason` stands in the header `x-loden-reason` while it is not. */
  set(state: Readiness): void;
  close(): void;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

/**
 * Serves flannel's two paths (main.go), with flannel's bodies to the byte: `/healthz` is 200 as long as the process lives,
 * `/readyz` 200 or 503; and `/metrics`, of which it asks at each request. Port 0 serves nothing. Resolves when it listens;
 * throws OptionError when it cannot.
 */
export async function serveHealth(
  ip: string,
  port: number,
  metrics: (ready: boolean) => readonly Metric[],
): Promise<Health> {
  let state: Readiness = { ready: false, reason: 'starting' };
  if (port === 0) return { set: () => undefined, close: () => undefined };

  const answer = (path: string): Answer => {
    switch (path) {
      case '/healthz':
        return { status: 200, body: 'flanneld is running' };
      case '/readyz':
        return state.ready
          ? { status: 200, body: 'flanneld is ready' }
          : { status: 503, body: 'flanneld is not ready yet' };
      case '/metrics':
        return { status: 200, body: exposition(metrics(state.ready)), type: CONTENT_TYPE };
      default:
        return { status: 404, body: 'there are /healthz, /readyz and /metrics' };
    }
  };
  const server = createServer((request, response) => {
    const { status, body, type = 'text/plain; charset=utf-8' } = answer((request.url ?? '/').split('?')[0]!);
    const reason = status === 503 && !state.ready ? { 'x-loden-reason': inHeader(state.reason) } : {};
    response.writeHead(status, { 'content-type': type, connection: 'close', ...reason });
    response.end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const what = `cannot serve /healthz, /readyz and /metrics at ${ip}:${port} (${cause.code})`;
      const [option, advice] =
        cause.code === 'EADDRNOTAVAIL'
          ? ['--healthz-ip', 'an address of this host']
          : ['--healthz-port', 'a free port'];
      reject(new OptionError(option, `${what}; set ${option} to ${advice}`, { cause }));
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

/** Node throws at anything else, and a reason may be in etcd's words, or OpenSSL's. */
function inHeader(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ');
}
