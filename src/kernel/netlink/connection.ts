import { constants } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { loadNative, type NativeHandle } from '../../native.js';
import { type Acknowledgement, isAcknowledgement, readAcknowledgement } from './acknowledgement.js';
import { kernelError, nativeError } from './failure.js';
import { InTurn } from './in-turn.js';
import {
  MessageReader,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  type RequestHeader,
} from './message.js';
import { MessageWriter } from './writer.js';

/** Messages that are read at a stretch, some 2 ms, before the event loop may turn. */
const MESSAGES_PER_TURN = 1000;
/** A dump is repeated so often before we admit that what it shows never stands still. */
const DUMP_ATTEMPTS = 20;
const { EINTR, ENODEV, ENOENT } = constants.errno;
/** The link, or the routing table, is not there. */
const NO_TABLE = new Set([ENODEV, ENOENT]);

/** Writes one message of a batch under the sequence number that it is given. */
export type WriteMessage = (writer: MessageWriter, sequence: number) => void;

/** Writes the one message of a dump request. */
export type WriteDump = (writer: MessageWriter, header: RequestHeader) => void;

/** What the kernel answered to a batch. */
export interface Answer {
  readonly buffer: Buffer;
  /** The sequence number of the batch's first message. */
  readonly first: number;
}

/** The netlink socket for requests: batches and dumps, one at a time. */
export class Connection {
  readonly #socket: NativeHandle;
  readonly #inTurn = new InTurn();
  #sequence = 1;

  constructor() {
    this.#socket = loadNative().netlinkOpen();
  }

  /** Idempotent; what is under way still ends. */
  close(): void {
    loadNative().netlinkClose(this.#socket);
  }

  /** Sends messages in one batch. The kernel goes on past a failing one. At least one message. */
  exchange(messages: readonly WriteMessage[]): Promise<Answer> {
    return this.#inTurn.run(async () => {
      const first = this.#take(messages.length);
      const writer = new MessageWriter(messages.length * 128);
      messages.forEach((write, i) => {
        write(writer, first + i);
      });
      // Failures are told anyway; one acknowledgement, of the last message, says that all were looked at.
      writer.addFlags(NLM_F_ACK);
      return { buffer: await this.#transact(writer, first + messages.length - 1), first };
    });
  }

  /**
   * Asks for a table and calls `visit` for each of its entries. Repeats a dump during which the table changed. What
   * has no table at all, a link or a routing table that is not there, has no entries.
   */
  async dump(type: number, write: WriteDump, visit: (entry: MessageReader) => void): Promise<void> {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const answer = await this.#inTurn.run(async () => {
        const first = this.#take(1);
        const writer = new MessageWriter(256);
        write(writer, { type, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence: first });
        return { buffer: await this.#transact(writer, first), first };
      });
      if (wasInterrupted(answer)) continue;
      await visitEntries(answer, visit);
      return;
    }
    throw kernelError('read a table of the kernel', { errno: EINTR, text: 'it kept changing meanwhile' });
  }

  #take(count: number): number {
    if (this.#sequence + count > 0xffffffff) this.#sequence = 1;
    const first = this.#sequence;
    this.#sequence += count;
    return first;
  }

  async #transact(writer: MessageWriter, until: number): Promise<Buffer> {
    try {
      return await loadNative().netlinkTransact(this.#socket, writer.bytes(), until);
    } catch (error) {
      throw nativeError('talk to the kernel over netlink', error);
    }
  }
}

/** The messages that failed, by their place in the batch. */
export function failuresOf(answer: Answer): Map<number, Acknowledgement> {
  const failures = new Map<number, Acknowledgement>();
  const message = new MessageReader(answer.buffer);
  while (message.next()) {
    if (message.sequence < answer.first || !isAcknowledgement(message.type)) continue;
    const acknowledgement = readAcknowledgement(message);
    if (acknowledgement.errno !== 0) failures.set(message.sequence - answer.first, acknowledgement);
  }
  return failures;
}

function wasInterrupted(answer: Answer): boolean {
  const message = new MessageReader(answer.buffer);
  while (message.next()) {
    if (message.sequence === answer.first && (message.flags & NLM_F_DUMP_INTR) !== 0) return true;
  }
  return false;
}

async function visitEntries(answer: Answer, visit: (entry: MessageReader) => void): Promise<void> {
  const message = new MessageReader(answer.buffer);
  for (let count = 1; message.next(); count++) {
    if (message.sequence !== answer.first) continue;
    if (isAcknowledgement(message.type)) {
      const acknowledgement = readAcknowledgement(message);
      if (acknowledgement.errno !== 0 && !NO_TABLE.has(acknowledgement.errno)) {
        throw kernelError('read a table of the kernel', acknowledgement);
      }
    } else {
      visit(message);
    }
    if (count % MESSAGES_PER_TURN === 0) await setImmediate();
  }
}
