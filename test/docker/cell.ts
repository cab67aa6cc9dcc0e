/**
 * Processes and mounts that end together. A Docker engine leaves both behind when it is killed: shims, containers in
 * network namespaces of their own, overlays. In a cell none can outlive the cell's first process, whatever happens.
 *
 *     host of the lab (network namespace)
 *       └─ cell: bash, process 1 of a process and mount namespace; ends on SIGTERM, and the kernel kills the rest
 *            ├─ dockerd ─ containerd
 *            └─ shims ─ containers
 */
import { readFile } from 'node:fs/promises';
import type { Namespace } from '../../src/lab/namespace.js';
import { signalProcess } from '../../src/lab/pid.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';

/** bash reaps what loses its parent, as process 1 has to. */
const FIRST = 'trap "exit 0" TERM; while :; do sleep 3600 & wait; done';

export class Cell {
  readonly #process: Process;
  readonly #first: number;

  static async open(namespace: Namespace, logFile: string): Promise<Cell> {
    const unshare = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const process = await Process.start({ namespace, words: [...unshare, 'bash', '-c', FIRST], logFile });
    return new Cell(process, await onlyChild(process.pid));
  }

  private constructor(process: Process, first: number) {
    this.#process = process;
    this.#first = first;
  }

  /** The argument list that runs `words` inside. */
  inside(words: readonly string[]): string[] {
    return ['nsenter', `--target=${this.#first}`, '--mount', '--pid', '--net', '--', ...words];
  }

  /** Ends all that is in it. */
  async close(): Promise<void> {
    signalProcess(this.#first, 'SIGKILL');
    await this.#process.ended();
  }
}

/** The program behind a `unshare --fork` or `nsenter --pid`, which only waits for it. */
export async function onlyChild(parent: number): Promise<number> {
  return waitFor(`child of process ${parent}`, async () => {
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '');
    return Number(children.trim()) || undefined;
  });
}
