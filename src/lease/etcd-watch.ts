/**
 * Follows the leases in etcd without ever missing an event unnoticed.
 *
 *     snapshot at r ──▶ stream from r+1 ──▶ events … ──▶ connection lost ──▶ stream from last event + 1 ──▶ events …
 *                              ▲                                                       │
 *                              └── snapshot at r' ◀── a cancelled stream, or a doubt ──┘
 *
 * etcd replays what happened meanwhile as long as it is not compacted. A stream that etcd cancels, for whatever reason,
 * and an etcd that is not the one we knew (`etcd-history`), are answered with a fresh snapshot. This drives the Watch RPC
 * itself: etcd3's Watcher resumes after the *header's* revision, which is ahead of the events while etcd replays; knows no
 * restored etcd; and gives no reason for an end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IEvent, IResponseHeader, IWatchResponse } from 'etcd3';
import { backoffMs } from './backoff.js';
import type { EtcdConnection } from './etcd-connection.js';
import type { LeaseEntries } from './etcd-entry.js';
import { isCompacted } from './etcd-errors.js';
import { hasTrace, isOtherHistory, type Position, positionAfter } from './etcd-history.js';
import { Range } from './etcd-library.js';
import { CALL_MS } from './etcd-member.js';
import { answers } from './etcd-stream.js';
import type { LeaseSnapshot, LeaseUpdate } from './store.js';

/** A host that was without etcd for long is still back within seconds. */
const RECONNECT = { firstMs: 100, capMs: 3_000 };

/** All leases, and the position that they are of. */
export interface FoundPosition {
  readonly snapshot: LeaseSnapshot;
  readonly position: Position & { readonly header: IResponseHeader };
}

export interface EtcdWatchInput {
  readonly connection: EtcdConnection;
  /** What every key begins with. */
  readonly prefix: string;
  readonly entries: LeaseEntries;
  readonly signal: AbortSignal;
  snapshot(): Promise<FoundPosition>;
  /** An error in words, without secrets, and whether it is a refusal. */
  describe(error: unknown): { readonly reason: string; readonly refused: boolean };
}

/** What came after our position cannot be had, or may not be what follows it. `cause`: why etcd gave up the watch. */
class LostPosition extends Error {
  /** Etcd is known to have been restored. */
  readonly restored: boolean;

  constructor({ restored = false, ...options }: { restored?: boolean; cause?: unknown } = {}) {
    super('lost', options);
    this.restored = restored;
  }
}

/**
 * Ends, without an error, when the signal is aborted. `afresh`: what came after the position is not asked for, all that
 * there is now comes first.
 */
export async function* watchEtcd(
  input: EtcdWatchInput,
  start: Position,
  afresh: boolean,
): AsyncGenerator<readonly LeaseUpdate[], void, undefined> {
  let position: Position | undefined = afresh ? undefined : start;
  let known = start;
  let restored = false;
  let failures = 0;
  let refused = false;
  while (!input.signal.aborted) {
    try {
      if (!position) {
        const found: FoundPosition = await input.snapshot();
        restored ||= isOtherHistory(found.position.header, known);
        position = found.position;
        known = position;
        yield [{ kind: 'snapshot', snapshot: found.snapshot, restored }];
        restored = false;
      }
      for await (const response of responses(input, position)) {
        if (failures > 0) {
          await verify(input, position);
          yield [{ kind: 'connected' }];
        }
        failures = 0;
        if (response.events.length > 0) yield response.events.map((event) => updateOf(event, input.entries));
        position = positionAfter(response, position);
        known = position;
      }
    } catch (error) {
      if (input.signal.aborted) return;
      const cause = error instanceof LostPosition ? error.cause : error;
      if (error instanceof LostPosition) {
        position = undefined;
        restored = error.restored;
      }
      if (cause === undefined) continue;
      const silence = input.describe(cause);
      if (failures === 0 || silence.refused !== refused) yield [{ kind: 'disconnected', ...silence }];
      refused = silence.refused;
      await pause(backoffMs(failures++, RECONNECT, Math.random), input.signal);
    }
  }
}

/** One stream's responses, the first being that the watch stands. Never ends but by an error. */
async function* responses(
  { connection, prefix, signal }: EtcdWatchInput,
  position: Position,
): AsyncGenerator<IWatchResponse> {
  const stream = await connection.clients(signal).watch.watch();
  const silence = setTimeout(() => {
    connection.tryAnother();
    stream.cancel();
  }, CALL_MS);
  try {
    const { start: key, end: range_end } = Range.prefix(prefix);
    // Every ten minutes without an event etcd tells its revision, so that ours is not compacted while all is quiet.
    stream.write({
      create_request: {
        key,
        range_end,
        start_revision: position.revision + 1,
        progress_notify: true,
        // What etcd replays may be long, and would come as one message.
        fragment: true,
      },
    });
    for await (const response of answers(stream, signal)) {
      clearTimeout(silence);
      if (response.canceled) throw cancelled(response, connection);
      if (response.created && isOtherHistory(response.header, position)) throw new LostPosition();
      yield response;
    }
    throw new Error('the watch was ended');
  } finally {
    clearTimeout(silence);
  }
}

/** Rejects with LostPosition where etcd, though it goes on from our position, is not the one that we had it of. */
async function verify({ connection, signal }: EtcdWatchInput, position: Position): Promise<void> {
  const found = await hasTrace(connection.clients(signal).kv, position).catch((error: unknown) => {
    throw isCompacted(error) ? new LostPosition() : error;
  });
  if (!found) throw new LostPosition({ restored: true });
}

function cancelled(response: IWatchResponse, connection: EtcdConnection): LostPosition {
  if (response.compact_revision !== '0') return new LostPosition();
  // What etcd calls "permission denied" here may be an expired token.
  connection.forgetToken();
  const reason = response.cancel_reason || 'no reason given';
  return new LostPosition({ cause: new Error(`the watch was cancelled: ${reason}`) });
}

function updateOf(event: IEvent, entries: LeaseEntries): LeaseUpdate {
  if (event.type === 'Delete') return { kind: 'delete', key: entries.keyOf(event.kv) };
  const entry = entries.read(event.kv);
  return entry.kind === 'lease' ? { ...entry, kind: 'put' } : entry;
}

/** Ends early, and without an error, when the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
