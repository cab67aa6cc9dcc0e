/** Pings all over the lab, 100 a second on each way that is watched: more would take the processors for themselves. */
import type { LabHost } from './host.js';
import { Pinger } from './pinger.js';
import { waitFor } from './wait.js';

const PER_SECOND = 100;

/** Answers on every way before the fault and after it. */
const ENOUGH = 30;

export interface PingCount {
  readonly sent: number;
  readonly lost: number;
}

export class Traffic {
  readonly #pingers: readonly Pinger[];

  private constructor(pingers: readonly Pinger[]) {
    this.#pingers = pingers;
  }

  /** From each host to the next, and from the last to the first. */
  static async around(hosts: readonly LabHost[]): Promise<Traffic> {
    const ways =
      hosts.length < 2
        ? []
        : hosts.length === 2
          ? [hosts]
          : hosts.map((host, index) => [host, hosts.at(index - 1)!]);
    return Traffic.on(ways);
  }

  /** On ways from a first to a second host. */
  static async on(ways: readonly (readonly LabHost[])[]): Promise<Traffic> {
    const start = ([from, to]: readonly LabHost[]) =>
      Pinger.start(from!.container!.namespace, to!.container!.address, PER_SECOND);
    return new Traffic(await Promise.all(ways.map(start)));
  }

  /** Waits for so many seconds' worth of answers on every way. */
  async pass(seconds: number): Promise<void> {
    await this.#more(seconds * PER_SECOND, seconds * 2000 + 10_000);
  }

  async flows(): Promise<void> {
    await this.#more(ENOUGH, 10_000);
  }

  async stop(): Promise<PingCount> {
    const reports = await Promise.all(this.#pingers.map((pinger) => pinger.stop()));
    const sum = (value: 'sent' | 'lost') => reports.reduce((total, report) => total + report[value], 0);
    return { sent: sum('sent'), lost: sum('lost') };
  }

  async #more(count: number, deadlineMs: number): Promise<void> {
    const marks = this.#pingers.map((pinger) => pinger.received + count);
    const reached = () => this.#pingers.every((pinger, index) => pinger.received >= marks[index]!);
    await waitFor(`${count} more answers`, reached, { deadlineMs });
  }
}
