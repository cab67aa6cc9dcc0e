/**
 * Pings all the time at a steady rate, to prove that something loses no packet. iputils counts what it sent, but not
 * which answers are still under way when it is told to stop, so each answer's sequence number is read: a hole before
 * the last answer is a loss; a silence at the end is one only if it is longer than an answer may take.
 */
import { execa, type ResultPromise } from 'execa';
import { LabError } from '../errors.js';
import type { Namespace } from './namespace.js';
import { waitFor } from './wait.js';

export interface PingerReport {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
}

const SPAWN_OPTIONS = { reject: false, buffer: false, stdin: 'ignore', stderr: 'ignore' } as const;

/** What may be under way when we stop. */
const LONGEST_ROUND_TRIP_SECONDS = 0.1;

export class Pinger {
  readonly #child: ResultPromise<typeof SPAWN_OPTIONS>;
  readonly #reading: Promise<void>;
  readonly #perSecond: number;
  readonly #tally = new SequenceTally();
  #summary = '';

  /** Starts, and waits for the first answer. Note that at more than 100 a second iputils takes a whole processor. */
  static async start(from: Namespace, address: string, perSecond = 1000): Promise<Pinger> {
    const pinger = new Pinger(from, address, perSecond);
    try {
      await waitFor(`first answer from ${address}`, () => pinger.#tally.received > 0);
    } catch (error) {
      await pinger.stop();
      throw error;
    }
    return pinger;
  }

  private constructor(from: Namespace, address: string, perSecond: number) {
    this.#perSecond = perSecond;
    const [file, ...args] = from.inside(['ping', '-n', '-i', `${1 / perSecond}`, address]);
    this.#child = execa(file!, args, SPAWN_OPTIONS);
    this.#reading = this.#read();
  }

  /** Answers so far: to wait until traffic has gone on for a while. */
  get received(): number {
    return this.#tally.received;
  }

  async stop(): Promise<PingerReport> {
    this.#child.kill('SIGINT');
    await Promise.all([this.#child, this.#reading]);
    const transmitted = /(\d+) packets transmitted/.exec(this.#summary)?.[1];
    if (transmitted === undefined) throw new LabError(`ping gave no summary: ${this.#summary}`);
    return this.#tally.report(Number(transmitted), this.#perSecond * LONGEST_ROUND_TRIP_SECONDS);
  }

  async #read(): Promise<void> {
    for await (const line of this.#child.iterable()) {
      const sequence = /icmp_seq=(\d+) ttl/.exec(line)?.[1];
      if (sequence === undefined) this.#summary += `${line}\n`;
      else if (!line.includes('DUP!')) this.#tally.add(Number(sequence));
    }
  }
}

/** Counts answers by their sequence numbers, which start at 1 and wrap at 65536. */
export class SequenceTally {
  received = 0;
  #highest = 0;

  add(sequence: number): void {
    this.received += 1;
    // The number nearest to the highest so far that has these 16 bits.
    const step = ((sequence - this.#highest + 0x8000) & 0xffff) - 0x8000;
    this.#highest = Math.max(this.#highest, this.#highest + step);
  }

  /** `underWay`: how many at the end may lack an answer without being lost. */
  report(sent: number, underWay: number): PingerReport {
    const holes = this.#highest - this.received;
    const silence = sent - this.#highest;
    return { sent, received: this.received, lost: holes + (silence > underWay ? silence : 0) };
  }
}
