/** lodend and a real engine in one host: the lease, daemon.json and docker0 agree. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { Engine } from './engine.js';
import { ENGINES, type EngineName, testOn } from './engines.js';

const dockerFlags = (engine: Engine) => [
  `--docker-config=${engine.configFile}`,
  `--docker-socket=${engine.socket}`,
];

for (const name of ENGINES) {
  testOn(name)(`x docker ${name} follows the lease under --docker=restart`, async (t) => {
    const lab = await Lab.up({ hosts: 1, daemon: false });
    t.teardown(() => lab.down());
    const host = lab.host('h1');
    const engine = await Engine.start(host, name, { 'log-level': 'warn', bip: '10.99.0.1/24' });
    const command = await restartCommand(t, engine);
    const daemon = host.makeDaemon('lodend', {
      kind: 'lodend',
      flags: ['--docker=restart', ...dockerFlags(engine), `--docker-restart-command=${command}`],
    });
    await daemon.start();
    await daemon.ready();
    await waitFor('docker0 on the lease', async () => /docker0 is on/.test(await daemon.log()), {
      deadlineMs: 30_000,
      explain: () => daemon.log(),
    });
    t.log(await daemon.log());
    t.log(await readFile(engine.configFile, 'utf8'));
    t.log(await engine.bridgeAddresses());
  });
}

async function restartCommand(t: ExecutionContext, engine: Engine): Promise<string> {
  const path = `${engine.directory}/restart.sock`;
  const server = createServer((_, response) => {
    engine.restart().then(
      () => response.end(),
      (error) => response.writeHead(500).end(String(error)),
    );
  }).listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
  });
  return `curl --silent --show-error --fail --unix-socket ${path} http://engine/restart`;
}
