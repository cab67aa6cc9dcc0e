/**
 * Runs one of the programs in this folder in a network namespace: a clock has to be where the event is, and a process
 * cannot change its own network. The programs answer over the channel that Node makes to a child.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LabError } from '../../src/errors.js';
import type { Namespace } from '../../src/lab/namespace.js';
import type { Message } from './answer.js';

export interface Inside<Output> {
  readonly result: Promise<Output>;
  /** Ends it, whether or not it is done. */
  stop(): void;
}

interface Task<Input> {
  readonly namespace: Namespace;
  /** A file of this folder, without its ending. */
  readonly program: string;
  readonly input: Input;
  readonly signal: AbortSignal;
}

/** Settles when the program says that it is ready, or is done. */
export async function inside<Input, Output>(task: Task<Input>): Promise<Inside<Output>> {
  const file = fileURLToPath(new URL(`${task.program}.js`, import.meta.url));
  const [program, ...args] = task.namespace.inside([process.execPath, '--enable-source-maps', file]);
  const child = spawn(program!, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], signal: task.signal });
  child.send(task.input as object);
  let markReady = () => {};
  const ready = new Promise<void>((resolve) => {
    markReady = resolve;
  });
  const result = resultOf<Output>(task.program, child, markReady);
  result.catch(() => undefined); // who waits for it sees the failure
  await Promise.race([ready, result]);
  return { result, stop: () => child.kill('SIGKILL') };
}

/** Runs the program to its end. */
export async function insideToTheEnd<Input, Output>(task: Task<Input>): Promise<Output> {
  return (await inside<Input, Output>(task)).result;
}

function resultOf<Output>(program: string, child: ChildProcess, ready: () => void): Promise<Output> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, by) =>
      reject(new LabError(`${program} ended without an answer: ${code ?? by}`)),
    );
    child.on('message', (message: Message<Output>) => {
      if (message.kind === 'ready') return ready();
      if (message.kind === 'result') resolve(message.value);
      else reject(new LabError(`${program}: ${message.message}`));
      child.disconnect();
    });
  });
}
