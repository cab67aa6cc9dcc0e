/** The network under test: five hosts, three members of etcd, and on each host something that is not ours. */
import { Lab } from '../src/lab/lab.js';
import type { LinkFault } from '../src/lab/link-faults.js';
import { Foreign } from './foreign.js';
import { HOSTS, TTL_SECONDS } from './schedule.js';

/** Short, as a network does not rest before it is over. */
const PEER_HOLD_SECONDS = 10;

export class Rig {
  readonly lab: Lab;
  readonly backend: string;
  readonly foreign = new Foreign();
  readonly #links = new Map<string, readonly LinkFault[]>();

  private constructor(lab: Lab, backend: string) {
    this.lab = lab;
    this.backend = backend;
  }

  static async up(backend: string, signal: AbortSignal): Promise<Rig> {
    const flags = [`--subnet-lease-ttl=${TTL_SECONDS}s`, `--peer-hold=${PEER_HOLD_SECONDS}s`];
    // Few subnets for many hosts, so that a claim that should not be possible meets one that is there.
    const config = { SubnetLen: 24, SubnetMin: '10.77.1.0', SubnetMax: '10.77.8.0' };
    const lab = await Lab.up({ hosts: HOSTS.length, cluster: true, backend, flags, config, signal });
    const rig = new Rig(lab, backend);
    try {
      for (const host of lab.hosts) await rig.foreign.plant(host);
    } catch (error) {
      await lab.down();
      throw error;
    }
    return rig;
  }

  get memberNames(): string[] {
    return this.lab.cluster.members.map(({ name }) => name);
  }

  /** The faults of one machine's links, beside those of others; none mends them. */
  async disturbLinks(machine: string, faults: readonly LinkFault[]): Promise<void> {
    this.#links.set(machine, faults);
    await this.lab.wire.disturb(...[...this.#links.values()].flat());
  }
}
