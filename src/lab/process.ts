/**
 * A program that runs in a namespace until it is stopped. It has its own session and writes straight into a file (not
 * through us, which is why this is not execa), so it outlives the program that started it, as `loden lab up` needs,
 * and a Ctrl-C at a terminal does not reach it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { LabError } from '../errors.js';
import type { Namespace } from './namespace.js';
import { waitFor } from './wait.js';

export interface Exit {
  readonly exitCode: number | null;
  /** `SIGKILL` …, when a signal ended it. */
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  /** The caller's own network when absent. */
  readonly namespace?: Namespace | undefined;
  readonly words: readonly string[];
  /** Added to. */
  readonly logFile: string;
  /** Added to our own environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

export class Process {
  readonly logFile: string;
  readonly #child: ChildProcess;
  #exit: Exit | undefined;

  /** Throws LabError when there is no such program. */
  static async start(options: ProcessOptions): Promise<Process> {
    const words = options.namespace?.inside(options.words) ?? options.words;
    const [file, ...args] = words as [string, ...string[]];
    const log = openSync(options.logFile, 'a');
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
    });
    closeSync(log);
    child.unref();
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => reject(new LabError(`${file}: ${cause.message}`, { cause })));
    });
    return new Process(child, options.logFile);
  }

  private constructor(child: ChildProcess, logFile: string) {
    this.#child = child;
    this.logFile = logFile;
    child.once('exit', (exitCode, signal) => {
      this.#exit = { exitCode, signal };
    });
  }

  /** nsenter becomes the program, so this is the program's own. */
  get pid(): number {
    return this.#child.pid!;
  }

  /** How it ended; undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Does nothing when it has ended. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** SIGTERM, and SIGKILL after `patienceMs`. */
  async stop(patienceMs = 5000): Promise<Exit> {
    this.signal('SIGTERM');
    const impatience = setTimeout(() => this.signal('SIGKILL'), patienceMs);
    return this.ended(patienceMs + 5000).finally(() => clearTimeout(impatience));
  }

  async kill(): Promise<Exit> {
    this.signal('SIGKILL');
    return this.ended();
  }

  /** Waits until it ends by itself. The child keeps no event loop alive, hence by looking. */
  async ended(deadlineMs = 10_000): Promise<Exit> {
    return waitFor(`end of process ${this.pid}`, () => this.#exit, { deadlineMs, everyMs: 5 });
  }

  /** All it has written. */
  async log(): Promise<string> {
    return readFile(this.logFile, 'utf8');
  }
}
