/** lodend beside a real engine: the lease, daemon.json and docker0 agree, or the log says why they do not. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { Daemon } from '../../src/lab/daemon.js';
import { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { Engine } from './engine.js';
import { ENGINES, type EngineName, testOn } from './engines.js';

const LODEN = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));

interface Host {
  readonly lab: Lab;
  readonly engine: Engine;
  readonly lodend: Daemon;
  /** How often lodend had the engine restarted. */
  restarts(): number;
  /** The `bip` that the subnet file asks for. */
  leased(): Promise<string>;
  logged(text: string): Promise<void>;
}

interface HostOptions {
  readonly mode: 'write' | 'restart';
  /** The engine's daemon.json. */
  readonly config?: object;
  readonly engineFlags?: readonly string[];
}

/** A host with an engine that runs, and a lodend that does not yet. */
async function hostWith(t: ExecutionContext, name: EngineName, options: HostOptions): Promise<Host> {
  const lab = await Lab.up({ hosts: 1, daemon: false });
  t.teardown(() => lab.down());
  const host = lab.host('h1');
  const engine = await Engine.start(host, name, options.config, options.engineFlags);
  const { command, restarts } = await restartCommand(t, engine);
  const lodend = host.makeDaemon('lodend', {
    kind: 'lodend',
    flags: [
      `--docker=${options.mode}`,
      `--docker-config=${engine.configFile}`,
      `--docker-socket=${engine.socket}`,
      `--docker-restart-command=${command}`,
    ],
  });
  const leased = async () => /^FLANNEL_SUBNET=(.+)$/m.exec(await readFile(lodend.subnetFile, 'utf8'))![1]!;
  const logged = async (text: string) => {
    const seen = async () => (await lodend.log()).includes(text);
    await waitFor(`"${text}" in the log`, seen, { deadlineMs: 40_000, explain: () => lodend.log() });
  };
  return { lab, engine, lodend, restarts, leased, logged };
}

/** A command in place of `systemctl restart docker`: it asks this process to do it. */
async function restartCommand(t: ExecutionContext, engine: Engine) {
  let count = 0;
  const path = `${engine.directory}/restart.sock`;
  const server = createServer((_, response) => {
    count += 1;
    engine.restart().then(
      () => response.end(),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  const command = `curl --silent --show-error --fail --unix-socket ${path} http://engine/restart`;
  return { command, restarts: () => count };
}

async function configOf({ engine }: Host): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(engine.configFile, 'utf8'));
}

const ON_THE_LEASE = 'docker0 is on the leased subnet';

testOn('28')(
  'an MTU of the uplink that changes is written for Docker, which is restarted to use it',
  async (t) => {
    const host = await hostWith(t, '28', { mode: 'restart' });
    const { lodend, lab } = host;
    await lodend.start();
    await host.logged(ON_THE_LEASE);
    t.is((await configOf(host)).mtu, 1450);
    const restarts = host.restarts();
    await lab.host('h1').ip('link set eth0 mtu 1400');
    await waitFor('the new MTU in daemon.json', async () => (await configOf(host)).mtu === 1350);
    await waitFor('a restart', () => host.restarts() === restarts + 1, { explain: () => lodend.log() });
  },
);

for (const name of ENGINES) {
  testOn(name)(
    `docker ${name} is restarted onto the lease once, and onto the next when that one is lost`,
    async (t) => {
      const host = await hostWith(t, name, {
        mode: 'restart',
        config: { 'log-level': 'warn', bip: '10.99.0.1/24' },
      });
      const { engine, lodend, lab } = host;
      await lodend.start();
      await host.logged(ON_THE_LEASE);
      const first = await host.leased();
      t.deepEqual(await engine.bridgeAddresses(), [first]);
      const direct = name === '28' ? { 'allow-direct-routing': true } : {};
      t.deepEqual(await configOf(host), {
        'log-level': 'warn',
        bip: first,
        mtu: 1450,
        'ip-masq': true,
        ...direct,
      });
      t.is(host.restarts(), 1);

      await lodend.restart();
      await waitFor('a second look', async () => (await lodend.log()).split(ON_THE_LEASE).length > 2);
      t.is(host.restarts(), 1);

      await lodend.stop();
      await giveToAnother(lab, first);
      await lodend.start();
      await waitFor(
        'a look at the other subnet',
        async () => (await lodend.log()).split(ON_THE_LEASE).length > 3,
        {
          deadlineMs: 40_000,
        },
      );
      const second = await host.leased();
      t.not(second, first);
      t.deepEqual(await engine.bridgeAddresses(), [second]);
      t.is((await configOf(host)).bip, second);
      t.is(host.restarts(), 2);
      const status = await loden(host, 'docker', 'status');
      t.true(status.includes(`engine ${await engine.version()}`));
      t.regex(status, /^Docker follows the lease\.$/m);
    },
  );

  testOn(name)(
    `docker ${name} keeps its bridge under live-restore while containers run, and the log warns`,
    async (t) => {
      const config = { bip: '10.99.0.1/24', 'live-restore': true };
      const host = await hostWith(t, name, { mode: 'restart', config });
      await host.engine.runContainer('web', [], ['httpd', '-f', '-h', '/www']);
      await host.lodend.start();
      await host.logged('Docker has live-restore');
      t.is(host.restarts(), 0);
      t.is((await configOf(host)).bip, await host.leased());
      await host.engine.restart();
      t.deepEqual(await host.engine.bridgeAddresses(), ['10.99.0.1/24']);
      await t.throwsAsync(loden(host, 'docker', 'status'), { message: /stop them all, then restart/ });
    },
  );
}

testOn('20.10')(
  'under write the engine runs on, and the log says that it has settings to read',
  async (t) => {
    const host = await hostWith(t, '20.10', { mode: 'write', config: { bip: '10.99.0.1/24' } });
    await host.lodend.start();
    await host.logged('Docker has new settings to read');
    t.deepEqual(await host.engine.bridgeAddresses(), ['10.99.0.1/24']);
    await t.throwsAsync(loden(host, 'docker', 'status'), { message: /restart it/ });
    await host.engine.restart();
    t.deepEqual(await host.engine.bridgeAddresses(), [await host.leased()]);
    t.is(host.restarts(), 0);
    t.true((await loden(host, 'docker', 'status')).includes(await host.leased()));
  },
);

testOn('20.10')(
  'an engine that is down when lodend starts finds its settings, and is not restarted',
  async (t) => {
    const host = await hostWith(t, '20.10', { mode: 'restart' });
    await host.engine.stop();
    await host.lodend.start();
    await host.lodend.ready();
    await host.engine.start();
    await host.logged(ON_THE_LEASE);
    t.deepEqual(await host.engine.bridgeAddresses(), [await host.leased()]);
    t.is(host.restarts(), 0);
  },
);

testOn('20.10')('an engine that hangs delays nothing', async (t) => {
  const host = await hostWith(t, '20.10', { mode: 'restart', config: { bip: '10.99.0.1/24' } });
  host.engine.pause();
  await host.lodend.start();
  await host.lodend.ready({ deadlineMs: 15_000 });
  t.is((await configOf(host)).bip, await host.leased());
  host.engine.resume();
  await host.logged(ON_THE_LEASE);
  t.is(host.restarts(), 1);
});

testOn('20.10')(
  'a flag of the dockerd that runs is refused, the file stays, and the host is ready',
  async (t) => {
    const host = await hostWith(t, '20.10', {
      mode: 'restart',
      config: {},
      engineFlags: ['--bip=10.99.0.1/24'],
    });
    await host.lodend.start();
    await host.lodend.ready();
    await host.logged('daemon.json is left as it is');
    t.regex(await host.lodend.log(), /--bip as a flag too \(the dockerd that runs, process \d+\)/);
    t.deepEqual(await configOf(host), {});
    await t.throwsAsync(loden(host, 'docker', 'status'), { message: /--bip as a flag too/ });
  },
);

const REFUSED = [
  '{"bip": ',
  '{"bridge": "br0"}',
  '{"fixed-cidr": "10.99.0.0/25"}',
  '{"default-gateway": "10.99.0.254"}',
];

testOn('20.10')(
  'a daemon.json that cannot follow the lease is left alone, and the engine runs on',
  async (t) => {
    const host = await hostWith(t, '20.10', { mode: 'restart' });
    for (const [index, text] of REFUSED.entries()) {
      await writeFile(host.engine.configFile, text);
      await host.lodend.start();
      await host.lodend.ready();
      const told = async () =>
        (await host.lodend.log()).split('daemon.json is left as it is').length === index + 2;
      await waitFor(`a reason to leave ${text} alone`, told);
      await host.lodend.stop();
      t.is(await readFile(host.engine.configFile, 'utf8'), text);
    }
    t.is(host.restarts(), 0);
  },
);

/** Runs the operator's tool in the host; throws with what it printed when it ends with another status than 0. */
async function loden({ lab, engine, lodend }: Host, ...words: readonly string[]): Promise<string> {
  const place = [`--docker-config=${engine.configFile}`, `--docker-socket=${engine.socket}`];
  return lab
    .host('h1')
    .exec([process.execPath, LODEN, ...words, `--subnet-file=${lodend.subnetFile}`, ...place]);
}

/** Our key in etcd with another host's name in it, as after a long absence. */
async function giveToAnother(lab: Lab, bip: string): Promise<void> {
  const key = `/coreos.com/network/subnets/${bip.replace(/\.\d+\/(\d+)$/, '.0-$1')}`;
  await lab.etcd.ctl('put', key, '{"PublicIP":"192.168.77.99","PublicIPv6":null}');
}
