import { constants } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { KernelEvent, Ownership } from '../kernel.js';
import type { Connection } from './connection.js';
import { EventReader } from './event-reader.js';
import { kernelError } from './failure.js';
import type { Known } from './filter.js';
import { LinkTable } from './link-table.js';
import { listen, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_LINK, RTMGRP_NEIGH } from './listen.js';

const GROUPS = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE;
/** Bytes that may wait for a consumer who does not come; beyond it, "look again" is the better news. */
const BACKLOG_SIZE = 32 << 20;
const { ENOBUFS } = constants.errno;

/** Notifications as they came, or the errno of a failure to receive. */
type Arrival = Buffer | number;

/** What has come from the kernel and was not yet read. */
class Backlog {
  #arrivals: Arrival[] = [];
  #size = 0;
  #wake: (() => void) | undefined;
  #ended = false;

  push(arrival: Arrival): void {
    if (this.#size > BACKLOG_SIZE) {
      this.#arrivals = [ENOBUFS];
      this.#size = 0;
    }
    this.#arrivals.push(arrival);
    if (typeof arrival !== 'number') this.#size += arrival.length;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Waits for the next; undefined at the end. */
  async take(): Promise<Arrival | undefined> {
    while (!this.#ended && this.#arrivals.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#ended) return undefined;
    const arrival = this.#arrivals.shift()!;
    if (typeof arrival !== 'number') this.#size -= arrival.length;
    return arrival;
  }
}

/** Listens from now on; the events are read as they are asked for. */
export function listenToKernel(
  connection: Connection,
  owned: Ownership,
  known: Known,
  signal: AbortSignal,
): AsyncIterable<readonly KernelEvent[]> {
  const backlog = new Backlog();
  const newReader = async () => new EventReader(owned, known, await LinkTable.read(connection));
  if (signal.aborted) {
    backlog.end();
    return readEvents(backlog, newReader);
  }
  const stopListening = listen(GROUPS, (messages, errno) => backlog.push(messages ?? errno ?? ENOBUFS));
  // At once, not with the first notification: the links as they were before it are what it is compared with.
  let first: Promise<EventReader> | undefined = newReader();
  first.catch(() => undefined); // whoever takes it sees the failure
  const takeReader = () => {
    const reader = first ?? newReader();
    first = undefined;
    return reader;
  };
  const stop = () => {
    stopListening();
    backlog.end();
  };
  signal.addEventListener('abort', stop, { once: true });
  return readEvents(backlog, takeReader, () => {
    signal.removeEventListener('abort', stop);
    stop();
  });
}

async function* readEvents(
  backlog: Backlog,
  newReader: () => Promise<EventReader>,
  stop?: () => void,
): AsyncGenerator<readonly KernelEvent[]> {
  try {
    let reader: EventReader | undefined;
    for (let arrival = await backlog.take(); arrival !== undefined; arrival = await backlog.take()) {
      if (arrival === ENOBUFS) {
        reader = undefined; // names of links may have been among what was lost
        yield [{ kind: 'overflow', reason: 'the kernel dropped notifications' }];
      } else if (typeof arrival === 'number') {
        throw kernelError("receive the kernel's notifications", { errno: arrival, text: '' });
      } else {
        reader ??= await newReader();
        const events = reader.read(arrival);
        if (events.length > 0) yield events;
        await setImmediate();
      }
    }
  } finally {
    stop?.();
  }
}
