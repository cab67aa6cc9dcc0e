/** An end of a test's network: packets that the test makes go in, and what comes out is kept. See `c/wire.c`. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Namespace } from '../../src/lab/namespace.js';
import { waitFor } from '../../src/lab/wait.js';

const LENGTH = 4;

export class Wire {
  /** What came out and was not taken yet, oldest first. */
  received: Buffer[] = [];
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #ready = false;
  #rest: Buffer = Buffer.alloc(0);

  /** `words` as in `c/wire.c`. */
  static async open(namespace: Namespace, program: string, ...words: readonly string[]): Promise<Wire> {
    const [file, ...args] = namespace.inside([program, ...words]);
    const wire = new Wire(spawn(file!, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
    await waitFor(`the wire ${words.join(' ')}`, () => wire.#ready);
    return wire;
  }

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    child.stdout.on('data', (bytes: Buffer) => this.#read(bytes));
  }

  send(...frames: readonly Buffer[]): void {
    const parts = frames.flatMap((frame) => {
      const length = Buffer.alloc(LENGTH);
      length.writeUInt32LE(frame.length);
      return [length, frame];
    });
    this.#child.stdin.write(Buffer.concat(parts));
  }

  /** Waits until that many frames are there, and takes all that are. */
  async take(count: number): Promise<Buffer[]> {
    await waitFor(`${count} frames`, () => this.received.length >= count, {
      everyMs: 1,
      explain: () => `there are ${this.received.length}`,
    }).catch((error) => {
      if (this.received.length === 0) throw error; // what differs is told best by who compares
    });
    return this.received.splice(0);
  }

  async close(): Promise<void> {
    const exited = this.#child.exitCode === null && once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #read(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= LENGTH) {
      const end = LENGTH + this.#rest.readUInt32LE();
      if (this.#rest.length < end) return;
      if (this.#ready) this.received.push(this.#rest.subarray(LENGTH, end));
      this.#ready = true;
      this.#rest = this.#rest.subarray(end);
    }
  }
}
