/** What can happen to a part of the network, and how it is undone. */
import type { Random } from './random.js';
import type { Rig } from './rig.js';

/** `host` concerns one host, `etcd` members or what they hold. One part suffers one thing at a time. */
export type Part = 'host' | 'etcd';

export interface Kind {
  /** `lodend is killed` */
  readonly name: string;
  readonly part: Part;
  /** It takes packets between containers on their way, so that some may be lost. */
  readonly costsPackets: boolean;
  /** `on`: the host that it happens to; undefined for etcd. All that is random about it is drawn here. */
  prepare(random: Random, on: string | undefined): Disturbance;
}

export interface Disturbance {
  /** What is random about it, for the log: `e2`, `37 % lost`. */
  readonly detail?: string;
  begin(rig: Rig): Promise<void>;
  end(rig: Rig): Promise<void>;
  /** Waits for what needs all other disturbances to be over. */
  settle?(rig: Rig): Promise<void>;
}
