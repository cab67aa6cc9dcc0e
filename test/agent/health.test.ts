import { createServer } from 'node:net';
import test from 'ava';
import { type Health, serveHealth } from '../../src/agent/health.js';
import { OptionError } from '../../src/errors.js';

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function answers(port: number, path: string): Promise<readonly [number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
}

async function serve(): Promise<{ health: Health; port: number }> {
  const port = await freePort();
  return { health: await serveHealth('127.0.0.1', port), port };
}

test('/healthz is 200 from the start, and /readyz 503 with the reason until all is ready', async (t) => {
  const { health, port } = await serve();
  t.teardown(health.close);
  t.deepEqual(await answers(port, '/healthz'), [200, 'flanneld is running']);
  health.set({ ready: false, reason: 'waiting for a lease' });
  t.deepEqual(await answers(port, '/readyz'), [503, 'flanneld is not ready yet']);
  const { headers } = await fetch(`http://127.0.0.1:${port}/readyz`);
  t.is(headers.get('x-loden-reason'), 'waiting for a lease');
  health.set({ ready: true });
  t.deepEqual(await answers(port, '/readyz?verbose'), [200, 'flanneld is ready']);
  t.is((await answers(port, '/metrics'))[0], 404);
});

test('a port that is in use is told of by its flag', async (t) => {
  const { health, port } = await serve();
  t.teardown(health.close);
  const error = await t.throwsAsync(serveHealth('127.0.0.1', port), { instanceOf: OptionError });
  t.regex(error!.message, /EADDRINUSE.*--healthz-port/);
});
