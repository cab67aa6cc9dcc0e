/** Traffic between the containers of a lab's first two hosts: iperf3 and ping. */
import { LabError } from '../src/errors.js';
import type { Container } from '../src/lab/container.js';
import type { Lab } from '../src/lab/lab.js';
import { Process } from '../src/lab/process.js';
import { labDirectory } from '../src/lab/record.js';
import { waitFor } from '../src/lab/wait.js';

interface Iperf3Report {
  readonly end?: { readonly sum_received?: { readonly bits_per_second: number } };
  readonly error?: string;
}

export class Stream {
  readonly #from: Container;
  readonly #to: Container;

  private constructor(from: Container, to: Container) {
    this.#from = from;
    this.#to = to;
  }

  /** Starts the receiving end, which ends with the lab, and sends a little to warm up. */
  static async open(lab: Lab): Promise<Stream> {
    const [from, to] = lab.hosts.map((host) => host.container);
    if (!from || !to) throw new LabError('two containers are needed');
    await lab.untilAllReach();
    await Process.start({
      namespace: to.namespace,
      words: ['iperf3', '--server'],
      logFile: `${labDirectory(lab.name)}/iperf3.log`,
    });
    const stream = new Stream(from, to);
    await waitFor('iperf3 accepts connections', () => stream.gigabits(1).catch(() => undefined));
    return stream;
  }

  /** TCP for so long, over so many connections; what arrived, in all. */
  async gigabits(seconds: number, connections = 1): Promise<number> {
    const many = ['--parallel', `${connections}`];
    const words = ['iperf3', '--json', '--client', this.#to.address, '--time', `${seconds}`, ...many];
    const { stdout, stderr } = await this.#from.namespace.attempt(words);
    const report = stdout === '' ? undefined : (JSON.parse(stdout) as Iperf3Report);
    const bits = report?.end?.sum_received?.bits_per_second;
    if (bits === undefined) throw new LabError(`iperf3: ${report?.error ?? stderr}`);
    return bits / 1e9;
  }

  /** Of echo requests 5 ms apart, each that came back. */
  async roundTripsMs(count: number): Promise<number[]> {
    const words = ['ping', '-n', '-c', `${count}`, '-i', '0.005', this.#to.address];
    const { stdout } = await this.#from.namespace.attempt(words);
    return [...stdout.matchAll(/ time=([\d.]+) ms$/gm)].map((match) => Number(match[1]));
  }
}
