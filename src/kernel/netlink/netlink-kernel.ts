import { parseIpv4 } from '../../net/ipv4.js';
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
} from '../kernel.js';
import { applyChanges } from './apply.js';
import { Connection } from './connection.js';
import { dumpState } from './dump.js';
import { listenToKernel } from './events.js';
import { Known } from './filter.js';
import { listenForHostChanges } from './host-changes.js';
import { InTurn } from './in-turn.js';
import { lookUpRoute, readInterfaces, readRoutes } from './lookup.js';

/** The kernel's network configuration, in the network namespace that this process runs in, over rtnetlink. */
export class NetlinkKernel implements Kernel {
  readonly #connection = new Connection();
  readonly #known = new Known();
  readonly #applying = new InTurn();
  readonly #closed = new AbortController();

  dump(owned: Ownership, signal: AbortSignal): Promise<KernelState> {
    return dumpState(this.#connection, owned, this.#known, signal);
  }

  events(owned: Ownership, signal: AbortSignal): AsyncIterable<readonly KernelEvent[]> {
    const ending = AbortSignal.any([signal, this.#closed.signal]);
    return listenToKernel(this.#connection, owned, this.#known, ending);
  }

  onHostChange(changed: () => void, signal: AbortSignal): void {
    listenForHostChanges(changed, AbortSignal.any([signal, this.#closed.signal]));
  }

  apply(changes: readonly Change[], signal: AbortSignal): Promise<ApplyReport> {
    return this.#applying.run(() => applyChanges(this.#connection, this.#known, changes, signal));
  }

  async interfaces(signal: AbortSignal): Promise<readonly Interface[]> {
    signal.throwIfAborted();
    return readInterfaces(this.#connection);
  }

  async routes(signal: AbortSignal): Promise<readonly HostRoute[]> {
    signal.throwIfAborted();
    return readRoutes(this.#connection);
  }

  async routeTo(address: string, signal: AbortSignal): Promise<RouteLookup | undefined> {
    signal.throwIfAborted();
    const parsed = parseIpv4(address);
    return parsed === undefined ? undefined : lookUpRoute(this.#connection, parsed);
  }

  close(): void {
    this.#closed.abort();
    this.#connection.close();
  }
}
