/** The ways to bring a crowd of peers into one host's kernel, each from a kernel that has none of them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { LabError } from '../src/errors.js';
import type { Daemon, DaemonKind } from '../src/lab/daemon.js';
import { lastLines } from '../src/lab/etcd.js';
import { monotonicMs } from './clock.js';
import { type BackendType, crowd, deviceLines, linesOf } from './crowd.js';
import type { CountInput } from './inside/count-objects.js';
import { type Inside, inside } from './inside/inside.js';
import type { LoneHost } from './lone-host.js';

const DEADLINE_MS = 60_000;

export interface Load {
  /** From exec until the last object is in the kernel. */
  readonly ms: number;
  /** Peak resident memory until then. */
  readonly mb?: number;
}

export class PeerLoad {
  readonly size: number;
  readonly #rig: LoneHost;

  private constructor(rig: LoneHost, size: number) {
    this.#rig = rig;
    this.size = size;
  }

  /** Puts the crowd's leases into etcd, and the same into files for `ip` and `bridge`. */
  static async prepare(rig: LoneHost, size: number): Promise<PeerLoad> {
    const load = new PeerLoad(rig, size);
    const peers = crowd(size);
    await rig.setLeases(peers);
    const lines = peers.map((peer) => linesOf(peer, rig.backend));
    await mkdir(rig.host.directory, { recursive: true });
    await writeFile(load.#file('ip'), `${lines.flatMap(({ ip }) => ip).join('\n')}\n`);
    await writeFile(load.#file('bridge'), `${lines.flatMap(({ bridge }) => bridge).join('\n')}\n`);
    return load;
  }

  get backend(): BackendType {
    return this.#rig.backend;
  }

  async byDaemon(kind: DaemonKind): Promise<Load> {
    return this.#run(this.#rig.daemon(kind));
  }

  /** For how long the event loop of lodend did not turn at most. */
  async longestStallMs(): Promise<number> {
    const into = `${this.#rig.host.directory}/stall`;
    const preload = `${new URL('preload/stall.js', import.meta.url).href}?into=${into}`;
    await this.#run(this.#rig.daemon('lodend', { nodeFlags: [`--import=${preload}`] }));
    return Number(await readFile(into, 'utf8'));
  }

  async byHand(): Promise<Load> {
    const { host, backend } = this.#rig;
    await this.#rig.clearKernel();
    if (backend === 'vxlan') {
      const own = { address: crowd(1, this.size)[0]!.subnet.address, length: 24 };
      await host.namespace.ip(...deviceLines(host.address, own, '02:be:ac:ff:ff:ff'));
    }
    const count = await this.#count();
    const began = monotonicMs();
    await host.exec(['ip', '-batch', this.#file('ip')]);
    if (backend === 'vxlan') await host.exec(['bridge', '-batch', this.#file('bridge')]);
    return { ms: (await count.result) - began };
  }

  async #run(daemon: Daemon): Promise<Load> {
    await this.#rig.clearKernel();
    const count = await this.#count();
    try {
      const began = monotonicMs();
      await daemon.start();
      const ended = daemon.ended(DEADLINE_MS).then(() => Promise.reject(new LabError('it ended')));
      const ms = (await Promise.race([count.result, ended])) - began;
      const mb = await peakMemory(daemon.pid!);
      const routes = await this.#rig.countRoutes();
      if (routes !== this.size) throw new LabError(`${routes} routes for ${this.size} peers`);
      return { ms, mb };
    } catch (cause) {
      const log = lastLines(await daemon.log());
      throw new LabError(`${daemon.kind}: ${(cause as Error).message}; its log ends with:\n${log}`, {
        cause,
      });
    } finally {
      count.stop();
      await daemon.stop();
    }
  }

  async #count(): Promise<Inside<number>> {
    const { host, backend, signal } = this.#rig;
    const neighbours = backend === 'vxlan' ? 2 * this.size : 0;
    const input: CountInput = { routes: this.size, neighbours, deadlineMs: DEADLINE_MS };
    return inside({ namespace: host.namespace, program: 'count-objects', input, signal });
  }

  #file(program: 'ip' | 'bridge'): string {
    return `${this.#rig.host.directory}/${program}.batch`;
  }
}

/** VmHWM of proc_pid_status(5), in MB of 2^20 bytes. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
