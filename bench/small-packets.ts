import { join } from 'node:path';
import { LabError } from '../src/errors.js';
import type { Lab } from '../src/lab/lab.js';
import type { Namespace } from '../src/lab/namespace.js';
import { waitFor } from '../src/lab/wait.js';

/** Bytes of payload. */
const SIZE = 64;
const PORT = 9000;

/**
 * A flood of small datagrams from a lab's first host to the bridge of its second. No container takes part: its veth and
 * the bridge cost more than the path that is measured.
 */
export class SmallPackets {
  readonly #from: Namespace;
  readonly #to: Namespace;
  readonly #address: string;
  readonly #program: string;

  /** `programs` is where `packets` was compiled to. */
  constructor(lab: Lab, programs: string) {
    const [from, to] = lab.hosts;
    if (!from || !to?.container) throw new LabError('two hosts are needed, and a container for the bridge');
    this.#from = from.namespace;
    this.#to = to.namespace;
    this.#address = to.container.gateway;
    this.#program = join(programs, 'packets');
  }

  /** What arrived per second, from the first to the last that did. */
  async perSecond(seconds: number): Promise<number> {
    const counting = this.#to.exec([this.#program, 'receive', `${PORT}`]);
    const listens = async () =>
      (await this.#to.exec(['ss', '--no-header', '-lun', `sport = :${PORT}`])) !== '';
    await Promise.race([waitFor('the counter to listen', listens), counting]);
    await this.#from.exec([this.#program, 'send', this.#address, `${PORT}`, `${seconds}`, `${SIZE}`]);
    const [count, took] = (await counting).split(' ').map(Number);
    if (!count || !took) throw new LabError('no packet arrived');
    return count / took;
  }
}
