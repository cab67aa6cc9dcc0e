/**
 * Two hosts, each with a lodend and a Docker engine, one web server per engine, and the world: a namespace on the
 * wire, outside the pool, with a server of its own. Every server answers with the address that it sees.
 *
 *     web ── docker0 ── h1 ──┬── h2 ── docker0 ── web
 *                            └── world
 */
import type { ExecutionContext } from 'ava';
import { readLeasedSubnet } from '../../src/lab/container.js';
import type { LabHost } from '../../src/lab/host.js';
import { Lab } from '../../src/lab/lab.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';
import { WIRE_ADDRESS } from '../../src/lab/wire.js';
import { Engine } from './engine.js';
import type { EngineName } from './engines.js';

export interface PairOptions {
  readonly engine: EngineName;
  readonly backend: string;
  /** Who masquerades what containers send to the world. */
  readonly masquerader: 'docker' | 'loden';
  /** Fields of the network config. */
  readonly config?: Readonly<Record<string, boolean>>;
  /** More of daemon.json. */
  readonly daemonJson?: object;
}

const WORLD_PORT = 8000;
const PUBLISHED_PORT = 8080;
const WORLD = `require('http').createServer((request, response) => response.end(request.socket.remoteAddress)).listen(${WORLD_PORT})`;
/** httpd runs it for each request. */
const WHO = `mkdir -p /www/cgi-bin
printf '#!/bin/sh\\nprintf "Content-Type: text/plain\\n\\n$REMOTE_ADDR"\\n' > /www/cgi-bin/who
chmod +x /www/cgi-bin/who
exec httpd -f -p 80 -h /www`;

export class Pair {
  readonly lab: Lab;
  readonly engines: readonly Engine[];

  /** Docker starts first, on a host that does not forward yet, as after a boot; then the daemons, then containers. */
  static async up(t: ExecutionContext, options: PairOptions): Promise<Pair> {
    const { backend, masquerader, config = {} } = options;
    const flags = [`--ip-masq=${masquerader === 'loden'}`];
    const lab = await Lab.up({ backend, container: false, flags, config });
    t.teardown(() => lab.down());
    const engines = await Promise.all(lab.hosts.map((host) => bootWithDocker(host, options)));
    const pair = new Pair(lab, engines);
    await pair.#startServers();
    return pair;
  }

  private constructor(lab: Lab, engines: readonly Engine[]) {
    this.lab = lab;
    this.engines = engines;
  }

  async #startServers(): Promise<void> {
    await Process.start({
      namespace: this.lab.wire.namespace,
      words: [process.execPath, '-e', WORLD],
      logFile: `${this.engines[0]!.directory}/world.log`,
    });
    const flags = ['--publish', `${PUBLISHED_PORT}:80`];
    await Promise.all(this.engines.map((engine) => engine.runContainer('web', flags, ['sh', '-c', WHO])));
  }

  /** Starts the servers again that ended with their engine. */
  async revive(): Promise<void> {
    await Promise.all(this.engines.map((engine) => engine.docker('start', 'web')));
  }

  /**
   * Waits until containers ping and fetch from each other both ways under their own addresses, both published ports
   * answer to the world, and, unless `world` is false, the world sees the hosts' addresses.
   */
  async untilAllReach({ world = true } = {}): Promise<void> {
    const [one, two] = this.engines as [Engine, Engine];
    await Promise.all([
      this.#untilReaches(one, two),
      this.#untilReaches(two, one),
      ...this.engines.map((engine) => this.#untilPublished(engine)),
      ...(world ? this.engines.map((engine) => this.#untilMasqueraded(engine)) : []),
    ]);
  }

  async #untilReaches(from: Engine, to: Engine): Promise<void> {
    const [own, peer] = await Promise.all([from.containerAddress('web'), to.containerAddress('web')]);
    const words = `ping -c1 -W1 ${peer} >/dev/null && ${fetch(`http://${peer}/cgi-bin/who`)}`;
    await this.#until(`${from.host.name}'s container reaches ${to.host.name}'s`, own, () =>
      from.docker('exec', 'web', 'sh', '-c', words),
    );
  }

  async #untilPublished({ host }: Engine): Promise<void> {
    const words = ['sh', '-c', fetch(`http://${host.address}:${PUBLISHED_PORT}/cgi-bin/who`)];
    const look = async () => ((await this.lab.wire.namespace.exec(words)) === '' ? 'nothing' : 'an answer');
    await this.#until(`${host.name}'s published port answers`, 'an answer', look);
  }

  async #untilMasqueraded(engine: Engine): Promise<void> {
    const words = fetch(`http://${WIRE_ADDRESS}:${WORLD_PORT}/`);
    await this.#until(`the world sees ${engine.host.name}'s address`, engine.host.address, () =>
      engine.docker('exec', 'web', 'sh', '-c', words),
    );
  }

  async #until(what: string, expected: string, ask: () => Promise<string>): Promise<void> {
    let last = '';
    const look = async () => {
      last = await ask().catch((error: Error) => error.message);
      return last.replace(/::ffff:|[[\]]/g, '') === expected;
    };
    await waitFor(what, look, { explain: () => `instead of ${expected}: ${last}` });
  }
}

export function fetch(url: string): string {
  return `curl --silent --max-time 1 ${url}`;
}

/** Docker first, on a host that does not forward yet; then the daemon. */
export async function bootWithDocker(host: LabHost, options: PairOptions): Promise<Engine> {
  const { engine, masquerader, daemonJson } = options;
  await host.daemon.stop();
  await host.exec(['nft', 'flush', 'ruleset']);
  await host.namespace.setSysctl('ipv4/ip_forward', '0');
  const { bridgeAddress: bip, mtu } = await readLeasedSubnet(host.daemon.subnetFile);
  const config = { bip, mtu, 'ip-masq': masquerader === 'docker', ...daemonJson };
  const started = await Engine.start(host, engine, config);
  await host.daemon.start();
  await host.daemon.ready();
  return started;
}
