import type { ChildProcess } from 'node:child_process';
import { KernelError } from '../../src/errors.js';
import type {
  ApplyReport,
  Change,
  HostRoute,
  Interface,
  Kernel,
  KernelEvent,
  KernelState,
  Ownership,
  RouteLookup,
} from '../../src/kernel/kernel.js';

export type Method = 'dump' | 'events' | 'onHostChange' | 'apply' | 'interfaces' | 'routes' | 'routeTo';

/** To the child. Aborting a call sends `abort` with its id. */
export type Request =
  | { readonly id: number; readonly method: Method; readonly argument: unknown }
  | { readonly id: number; readonly abort: true };

export interface FlatError {
  readonly errno: string | undefined;
  readonly message: string;
}

/** From the child. `events` and `onHostChange` are answered by batches, then by `done`. */
export type Response =
  | { readonly kind: 'ready' }
  | { readonly kind: 'batch'; readonly id: number; readonly events: readonly KernelEvent[] }
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: FlatError };

/** The result of `apply` as it crosses: errors do not keep their fields on the way. */
export interface FlatReport {
  readonly applied: number;
  readonly failures: readonly { readonly change: Change; readonly error: FlatError }[];
}

/** The Kernel port of another process (`kernel-child`). */
export class RemoteKernel implements Kernel {
  readonly #child: ChildProcess;
  readonly #answer = new Map<number, (response: Response) => void>();
  #lastId = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (response: Response) => {
      if (response.kind !== 'ready') this.#answer.get(response.id)?.(response);
    });
    child.on('exit', () => {
      const error = { errno: undefined, message: 'the process in the namespace is gone' };
      for (const [id, answer] of this.#answer) answer({ kind: 'failed', id, error });
    });
  }

  dump(owned: Ownership, signal: AbortSignal): Promise<KernelState> {
    return this.#call('dump', owned, signal);
  }

  async apply(changes: readonly Change[], signal: AbortSignal): Promise<ApplyReport> {
    const report = await this.#call<FlatReport>('apply', changes, signal);
    const failures = report.failures.map(({ change, error }) => ({ change, error: revive(error) }));
    return { applied: report.applied, failures };
  }

  interfaces(signal: AbortSignal): Promise<readonly Interface[]> {
    return this.#call('interfaces', undefined, signal);
  }

  routes(signal: AbortSignal): Promise<readonly HostRoute[]> {
    return this.#call('routes', undefined, signal);
  }

  routeTo(address: string, signal: AbortSignal): Promise<RouteLookup | undefined> {
    return this.#call('routeTo', address, signal);
  }

  /** Requests are handled in the order in which they are sent, so one sent after this finds it listening. */
  events(owned: Ownership, signal: AbortSignal): AsyncIterable<readonly KernelEvent[]> {
    const batches: (readonly KernelEvent[])[] = [];
    let end: Response | undefined;
    let wake: () => void = () => undefined;
    this.#send('events', owned, signal, (response) => {
      if (response.kind === 'batch') batches.push(response.events);
      else end = response;
      wake();
    });
    return (async function* () {
      for (;;) {
        const batch = batches.shift();
        if (batch) yield batch;
        else if (end?.kind === 'failed') throw revive(end.error);
        else if (end) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    })();
  }

  onHostChange(changed: () => void, signal: AbortSignal): void {
    this.#send('onHostChange', undefined, signal, ({ kind }) => {
      if (kind === 'batch') changed();
    });
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #call<T>(method: Method, argument: unknown, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#send(method, argument, signal, (response) => {
        if (response.kind === 'done') resolve(response.result as T);
        else if (response.kind === 'failed') reject(revive(response.error));
      });
    });
  }

  #send(method: Method, argument: unknown, signal: AbortSignal, answer: (response: Response) => void): void {
    const id = ++this.#lastId;
    const abort = () => this.#child.connected && this.#child.send({ id, abort: true });
    this.#answer.set(id, (response) => {
      if (response.kind === 'done' || response.kind === 'failed') {
        this.#answer.delete(id);
        signal.removeEventListener('abort', abort);
      }
      answer(response);
    });
    this.#child.send({ id, method, argument });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  }
}

function revive({ errno, message }: FlatError): KernelError {
  return new KernelError(errno ?? 'unknown', message);
}
