import { createServer } from 'node:net';
import test from 'ava';
import type { Metric } from '../../../src/agent/report/exposition.js';
import { type Health, serveHealth } from '../../../src/agent/report/health.js';
import { OptionError } from '../../../src/errors.js';

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

const ofReadiness = (ready: boolean): readonly Metric[] => [
  { name: 'loden_ready', type: 'gauge', help: 'Whether', samples: [[{}, Number(ready)]] },
];

async function serve(): Promise<{ health: Health; port: number }> {
  const port = await freePort();
  return { health: await serveHealth('127.0.0.1', port, ofReadiness), port };
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
  t.deepEqual(await answers(port, '/other'), [404, 'there are /healthz, /readyz and /metrics']);
});

test('a reason may be any text', async (t) => {
  const { health, port } = await serve();
  t.teardown(health.close);
  health.set({ ready: false, reason: 'etcd said:\r\nx: y\0…!' });
  const { status, headers } = await fetch(`http://127.0.0.1:${port}/readyz`);
  t.deepEqual([status, headers.get('x-loden-reason'), headers.get('x')], [503, 'etcd said: x: y !', null]);
});

test('a port that is in use is told of by its flag', async (t) => {
  const { health, port } = await serve();
  t.teardown(health.close);
  const error = await t.throwsAsync(serveHealth('127.0.0.1', port, ofReadiness), { instanceOf: OptionError });
  t.regex(error!.message, /EADDRINUSE.*--healthz-port/);
});

test('an address that is not this host’s is told of by its flag', async (t) => {
  const error = await t.throwsAsync(serveHealth('240.0.0.1', await freePort(), ofReadiness), {
    instanceOf: OptionError,
  });
  t.regex(error!.message, /EADDRNOTAVAIL.*--healthz-ip/);
});

test('/metrics is asked for anew each time, and is of the type that Prometheus expects', async (t) => {
  const { health, port } = await serve();
  t.teardown(health.close);
  const { headers } = await fetch(`http://127.0.0.1:${port}/metrics`);
  t.is(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const head = '# HELP loden_ready Whether\n# TYPE loden_ready gauge\n';
  t.deepEqual(await answers(port, '/metrics'), [200, `${head}loden_ready 0\n`]);
  health.set({ ready: true });
  t.deepEqual(await answers(port, '/metrics'), [200, `${head}loden_ready 1\n`]);
});
