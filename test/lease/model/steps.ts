/**
 * What a host can do next: one question to etcd, or one look at what the watch tells. Between any two steps of a host
 * all the others may take theirs, time may pass, and a host may take none for as long as it likes: that is a host that
 * is slow, frozen, or cut off.
 */
import * as acquiring from './acquiring.js';
import type { Outcome } from './etcd.js';
import type { Step } from './explore.js';
import * as keeping from './keeping.js';
import { told } from './watching.js';
import type { Budget, Host, Kind, World } from './world.js';

export type At<Name extends Host['at']> = Name extends unknown ? Extract<Host, { at: Name }> : never;

export function hostSteps(world: World, index: number): readonly Step<World>[] {
  const steps = new Steps(world, index);
  const host = world.hosts[index]!;
  switch (host.at) {
    case 'start':
      acquiring.start(steps, host);
      break;
    case 'read':
      acquiring.read(steps, host);
      break;
    case 'release useless':
      acquiring.releaseUseless(steps, host);
      break;
    case 'take up':
      acquiring.takeUp(steps, host);
      break;
    case 'claim':
      acquiring.claimSubnet(steps, host);
      break;
    case 'give way':
      acquiring.giveWay(steps, host);
      break;
    case 'hold':
      keeping.hold(steps, host);
      break;
    case 'reclaim':
      keeping.reclaim(steps, host);
      break;
    case 'look':
      keeping.look(steps, host);
      break;
    case 'take back':
      keeping.takeBack(steps, host);
      break;
    case 'yield':
      keeping.yieldSubnet(steps, host);
      break;
  }
  return steps.found;
}

/** Collects the steps of one host. */
export class Steps {
  readonly world: World;
  readonly found: Step<World>[] = [];
  readonly #index: number;

  constructor(world: World, index: number) {
    this.world = world;
    this.#index = index;
  }

  get kind(): Kind {
    return this.world.setup.kinds[this.#index]!;
  }

  /** The host becomes `host`, and etcd what the step made of it. */
  add(text: string, host: Host, outcome?: Outcome, spent: Partial<Budget> = {}): void {
    const hosts = this.world.hosts.with(this.#index, host);
    const { etcd, events } = outcome ?? { etcd: this.world.etcd, events: [] };
    const budget = { ...this.world.budget, ...spent };
    const next = { ...this.world, etcd, hosts: told(hosts, events), budget };
    this.found.push({ text: `host ${this.#index + 1} ${text}`, next });
  }

  /** The same step, of whose outcome the host hears nothing. */
  addLost(text: string, host: Host, outcome: Outcome): void {
    const { lostAnswers } = this.world.budget;
    if (lostAnswers > 0)
      this.add(`${text}, and the answer is lost`, host, outcome, { lostAnswers: lostAnswers - 1 });
  }
}
