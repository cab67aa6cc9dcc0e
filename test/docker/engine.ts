/**
 * A real Docker engine in a host of a lab: its own dockerd and containerd on the host's network, with their own config
 * file, data and socket below the host's directory. Taking the lab down removes all of it.
 *
 *     const engine = await Engine.start(lab.host('h1'), '28', { bip: '10.77.5.1/24' });
 *     await engine.docker('run', '--rm', IMAGE, 'ping', '-c1', '10.77.6.2');
 *     await engine.restart();
 */
import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises';
import { LabError } from '../../src/errors.js';
import { lastLines } from '../../src/lab/etcd.js';
import type { LabHost } from '../../src/lab/host.js';
import { type CommandOptions, command } from '../../src/lab/namespace.js';
import { isAlive, signalProcess } from '../../src/lab/pid.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';
import { Cell, onlyChild } from './cell.js';
import { type EngineName, engineFolder, IMAGE_FILE } from './engines.js';

/** In every engine that `start` returned. */
export const IMAGE = 'loden-test';

/** statfs(2): no overlay can be laid on an overlay. */
const OVERLAYFS_MAGIC = 0x794c7630;

export class Engine {
  readonly host: LabHost;
  readonly name: EngineName;
  /** Holds the engine's own files. */
  readonly directory: string;
  /** What `--config-file` names. May be rewritten while the engine is down. */
  readonly configFile: string;
  readonly socket: string;
  readonly #cell: Cell;
  readonly #flags: readonly string[];
  #nsenter: Process | undefined;
  #pid = 0;

  /** Makes one and waits until it answers. `config` is its daemon.json. */
  static async start(
    host: LabHost,
    name: EngineName,
    config: object = {},
    flags: readonly string[] = [],
  ): Promise<Engine> {
    const directory = `${host.directory}/engine`;
    await mkdir(`${directory}/etc`, { recursive: true });
    const cell = await Cell.open(host.namespace, `${directory}/cell.log`);
    const engine = new Engine(host, name, cell, flags);
    await writeFile(engine.configFile, `${JSON.stringify(config, null, 2)}\n`);
    await engine.start();
    const defaults = ['--change', 'ENV PATH=/usr/bin:/bin', '--change', 'CMD ["sh"]'];
    await engine.docker('import', ...defaults, IMAGE_FILE, IMAGE);
    return engine;
  }

  private constructor(host: LabHost, name: EngineName, cell: Cell, flags: readonly string[]) {
    this.host = host;
    this.name = name;
    this.directory = `${host.directory}/engine`;
    this.configFile = `${this.directory}/etc/daemon.json`;
    this.socket = `${this.directory}/docker.sock`;
    this.#cell = cell;
    this.#flags = flags;
  }

  /** dockerd's own. */
  get pid(): number {
    return this.#pid;
  }

  get running(): boolean {
    return this.#nsenter !== undefined && this.#nsenter.exit === undefined;
  }

  /** Starts dockerd over what it had, and waits until it answers. */
  async start(): Promise<void> {
    const nsenter = await Process.start({
      words: this.#cell.inside(await this.#words()),
      logFile: `${this.directory}/dockerd.log`,
      env: this.#environment(),
    });
    this.#nsenter = nsenter;
    this.#pid = await onlyChild(nsenter.pid);
    await waitFor(`Docker ${this.name} in ${this.host.name}`, () => this.#answers(), {
      deadlineMs: 30_000,
      everyMs: 50,
      explain: async () => lastLines(await this.log()),
    });
  }

  /** SIGTERM, which stops its containers too unless it has `live-restore`. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** SIGKILL: its containers run on, and it finds them when it starts again. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Lets it hang, until `resume`: its socket takes connections and nobody answers. */
  pause(): void {
    signalProcess(this.#pid, 'SIGSTOP');
  }

  resume(): void {
    signalProcess(this.#pid, 'SIGCONT');
    // It stops itself when its child is stopped.
    this.#nsenter?.signal('SIGCONT');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Runs the docker client against it and returns what it printed. */
  async docker(...args: readonly string[]): Promise<string> {
    return this.dockerWith({}, ...args);
  }

  async dockerWith(options: CommandOptions, ...args: readonly string[]): Promise<string> {
    const client = `${engineFolder(this.name)}/bin/docker`;
    return command([client, '--host', `unix://${this.socket}`, ...args], options);
  }

  /** In full: `28.5.2+dfsg4`. */
  async version(): Promise<string> {
    return this.docker('version', '--format', '{{.Server.Version}}');
  }

  /**
   * Starts a container in the background and returns the address it has on the bridge. It ends at once when it is
   * stopped, as few programs heed SIGTERM as process 1.
   */
  async runContainer(name: string, flags: readonly string[], words: readonly string[]): Promise<string> {
    const detached = ['run', '--detach', '--name', name, '--stop-signal', 'KILL'];
    await this.docker(...detached, ...flags, IMAGE, ...words);
    return this.containerAddress(name);
  }

  /** On the default bridge; empty when the container does not run. */
  async containerAddress(name: string): Promise<string> {
    return this.docker('inspect', '--format', '{{.NetworkSettings.Networks.bridge.IPAddress}}', name);
  }

  /** The host's IPv4 addresses on docker0, `10.77.5.1/24`, as the kernel has them. */
  async bridgeAddresses(): Promise<string[]> {
    const text = await this.host.exec(['ip', '-json', '-4', 'address', 'show', 'dev', 'docker0']);
    const links = JSON.parse(text) as { addr_info: { local: string; prefixlen: number }[] }[];
    return links.flatMap((link) => link.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`));
  }

  /** All that dockerd has written, from all its starts. */
  async log(): Promise<string> {
    return readFile(`${this.directory}/dockerd.log`, 'utf8');
  }

  async #words(): Promise<string[]> {
    const { directory } = this;
    const overlay = (await statfs(directory)).type !== OVERLAYFS_MAGIC;
    return [
      `${engineFolder(this.name)}/bin/dockerd`,
      `--config-file=${this.configFile}`,
      `--data-root=${directory}/data`,
      `--exec-root=${directory}/exec`,
      `--pidfile=${directory}/docker.pid`,
      `--host=unix://${this.socket}`,
      `--storage-driver=${overlay ? 'overlay2' : 'vfs'}`,
      // By this name the lab knows them for its own when it goes.
      `--cgroup-parent=/${this.host.namespace.name}`,
      '--exec-opt=native.cgroupdriver=cgroupfs',
      ...this.#flags,
    ];
  }

  #environment(): Record<string, string | undefined> {
    const folder = engineFolder(this.name);
    return {
      PATH: `${folder}/bin:${process.env.PATH}`,
      LD_LIBRARY_PATH: `${folder}/lib`,
      NOTIFY_SOCKET: undefined,
    };
  }

  async #answers(): Promise<boolean> {
    if (!this.running) throw new LabError(`dockerd ended:\n${lastLines(await this.log())}`);
    return this.version().then(
      () => true,
      () => false,
    );
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    signalProcess(this.#pid, signal);
    await waitFor(`end of dockerd in ${this.host.name}`, () => !isAlive(this.#pid), { deadlineMs: 20_000 });
    await this.#nsenter!.ended();
  }
}
