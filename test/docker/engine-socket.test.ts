import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { SocketEngine } from '../../src/docker/engine-socket.js';
import { DockerError } from '../../src/errors.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { folderWith } from './folder.js';

const never = new AbortController().signal;

async function engineThat(t: ExecutionContext, answer: RequestListener): Promise<SocketEngine> {
  const path = join(await folderWith(t, {}), 'docker.sock');
  const server = createServer(answer).listen(path);
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return new SocketEngine(path);
}

function answering(answers: Readonly<Record<string, unknown>>): RequestListener {
  return (request, response) => {
    const found = answers[request.url!];
    response
      .writeHead(found === undefined ? 404 : 200)
      .end(JSON.stringify(found ?? { message: 'not found' }));
  };
}

const REST = {
  '/version': { Version: '28.5.2' },
  '/info': { LiveRestoreEnabled: true, ContainersRunning: 2 },
};

test('the state of an engine is what its API says', async (t) => {
  const network = {
    IPAM: {
      Config: [
        { Subnet: 'fd00::/64', Gateway: 'fd00::1' },
        { Subnet: '10.77.5.0/24', Gateway: '10.77.5.1' },
      ],
    },
    Options: { 'com.docker.network.driver.mtu': '1450' },
  };
  const engine = await engineThat(t, answering({ ...REST, '/networks/bridge': network }));
  const state = await engine.state(never);
  t.like(state, { version: '28.5.2', liveRestore: true, containersRunning: 2 });
  t.is(formatPrefix(state.bridge!.bip!), '10.77.5.1/24');
  t.is(state.bridge!.mtu, 1450);
});

test('an engine without a bridge has none, and one that says little has a bridge without an address', async (t) => {
  t.is((await (await engineThat(t, answering(REST))).state(never)).bridge, undefined);
  const bare = await engineThat(
    t,
    answering({ ...REST, '/networks/bridge': { IPAM: { Config: null }, Options: null } }),
  );
  t.deepEqual((await bare.state(never)).bridge, { bip: undefined, mtu: undefined });
});

test('no engine, a refusal, and what is not JSON are errors that name the socket', async (t) => {
  const throws = (engine: SocketEngine) => t.throwsAsync(engine.version(never), { instanceOf: DockerError });
  t.regex(
    (await throws(new SocketEngine('/nowhere/docker.sock')))!.message,
    /\/nowhere\/docker\.sock: .*ENOENT/,
  );
  const refusing = await engineThat(t, (_, response) => response.writeHead(500).end('{"message":"no"}'));
  t.regex((await throws(refusing))!.message, /docker\.sock answers \/version with 500: \{"message":"no"\}/);
  t.regex((await throws(await engineThat(t, (_, response) => response.end('<html>'))))!.message, /<html>/);
});

test('an engine that hangs is given up with the signal', async (t) => {
  const engine = await engineThat(t, () => {});
  await t.throwsAsync(engine.version(AbortSignal.timeout(50)), { instanceOf: DockerError });
});

test('an answer that breaks off is an error', async (t) => {
  const engine = await engineThat(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"Version"', () => response.destroy());
  });
  await t.throwsAsync(engine.version(never), { instanceOf: DockerError });
});
