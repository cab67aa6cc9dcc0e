/**
 * Listens to a kernel with `ip monitor` and `bridge monitor`, to tell how long after one change another one came. Both
 * stamp what they hear to the microsecond.
 */
import { readFile } from 'node:fs/promises';
import type { LabHost } from '../../src/lab/host.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';

export interface Heard {
  /** Milliseconds. */
  readonly at: number;
  /** `Deleted 10.77.2.0/24 via …` */
  readonly text: string;
}

/** One listener: how to start it, a change for it to hear, and what it writes before each thing that it heard. */
interface Listening {
  readonly command: string;
  readonly probe: string;
  readonly stamp: RegExp;
  readonly milliseconds: (stamp: RegExpMatchArray) => number;
}

const LISTENERS: readonly Listening[] = [
  {
    command: 'ip -4 -ts monitor link address route neigh',
    probe: 'ip address add 127.0.0.9 dev lo; ip address del 127.0.0.9/32 dev lo',
    stamp: /^\[([^\].]+)\.(\d{6})\] /gm,
    milliseconds: ([, time, micros]) => Date.parse(time!) + Number(micros) / 1000,
  },
  {
    command: 'bridge -t monitor fdb',
    probe: 'bridge fdb add 02:00:00:00:00:99 dev eth0; bridge fdb del 02:00:00:00:00:99 dev eth0',
    stamp: /^Timestamp: (.+) (\d+) usec\n/gm,
    milliseconds: ([, time, micros]) => Date.parse(time!) + Number(micros) / 1000,
  },
];

export class Monitor {
  readonly #listeners: readonly Listener[];

  static async start(host: LabHost): Promise<Monitor> {
    return new Monitor(await Promise.all(LISTENERS.map((listening) => Listener.start(host, listening))));
  }

  private constructor(listeners: readonly Listener[]) {
    this.#listeners = listeners;
  }

  /** What was heard since the last call, in order. */
  async news(): Promise<Heard[]> {
    const news = await Promise.all(this.#listeners.map((listener) => listener.news()));
    return news.flat().sort((a, b) => a.at - b.at);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
  }
}

class Listener {
  readonly #process: Process;
  readonly #listening: Listening;
  #toldBefore = 0;

  static async start(host: LabHost, listening: Listening): Promise<Listener> {
    const words = listening.command.split(' ');
    const process = await Process.start({
      namespace: host.namespace,
      // First to run when it hears something, or its stamps would tell of the load and not of the kernel.
      words: ['nice', '--adjustment=-20', ...words],
      logFile: `${host.directory}/${words[0]}-monitor.log`,
    });
    const listener = new Listener(process, listening);
    // The file may hold what one before it heard.
    await listener.news();
    await waitFor(`${words[0]} hears`, async () => {
      await host.exec(['sh', '-ec', listening.probe]);
      return (await listener.news()).length > 0;
    });
    return listener;
  }

  private constructor(process: Process, listening: Listening) {
    this.#process = process;
    this.#listening = listening;
  }

  async news(): Promise<Heard[]> {
    const text = await readFile(this.#process.logFile, 'utf8');
    const stamps = [...text.matchAll(this.#listening.stamp)];
    const all = stamps.map((stamp, index) => ({
      at: this.#listening.milliseconds(stamp),
      text: text.slice(stamp.index + stamp[0].length, stamps[index + 1]?.index).trim(),
    }));
    const news = all.slice(this.#toldBefore);
    this.#toldBefore = all.length;
    return news;
  }

  async stop(): Promise<void> {
    await this.#process.kill();
  }
}
