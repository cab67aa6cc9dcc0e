/**
 * Whether an etcd is the one that we followed so far, or was restored from a backup meanwhile: then its revisions are of
 * another history, and what comes after ours is not what follows it.
 *
 *     cluster id, term, revision   of each answer; another id, or less than before, tells
 *     the trace                    a young etcd begins again with the same id and the same term, and hosts that came back
 *                                  before us may have written as much as there was. Then the key of the last event that
 *                                  we saw is, as of the revision up to which we know all, not as we saw it
 *
 * A host's own lease is such a trace at least, so nobody goes on for long with one that is not in etcd.
 */
import type { IEvent, IKeyValue, IResponseHeader, IWatchResponse, KVClient } from 'etcd3';
import { ABSENT } from './etcd-swap.js';

/** Up to where in etcd's history we know all. */
export interface Position {
  readonly revision: number;
  /** What the etcd said of itself that told us; undefined when that is not known. */
  readonly header: IResponseHeader | undefined;
  /** Undefined when none is known. */
  readonly trace?: Trace | undefined;
}

/** A key, as of a position. */
export interface Trace {
  readonly key: Buffer;
  /** ABSENT of one that was deleted. */
  readonly modRevision: number;
}

/** Of two entries the one that was written last. */
export function newer(trace: Trace | undefined, { key, mod_revision }: IKeyValue): Trace {
  const modRevision = Number(mod_revision);
  return trace && trace.modRevision > modRevision ? trace : { key, modRevision };
}

export function positionAfter(response: IWatchResponse, before: Position): Position {
  const { header, events } = response;
  const last = events.at(-1);
  // In another fragment there may be more of the same revision.
  if (last && response.fragment) return { revision: Number(last.kv.mod_revision) - 1, header };
  if (last) return { revision: Number(last.kv.mod_revision), header, trace: traceOf(last) };
  // The header's revision is ahead of the events while etcd replays, so it counts only when there are none.
  return { ...before, revision: response.created ? before.revision : Number(header.revision), header };
}

function traceOf({ type, kv }: IEvent): Trace {
  return { key: kv.key, modRevision: type === 'Delete' ? ABSENT : Number(kv.mod_revision) };
}

/** By what it says of itself. It may be a member that lags behind, too. */
export function isOtherHistory(now: IResponseHeader, { revision, header }: Position): boolean {
  return (
    Number(now.revision) < revision ||
    (header !== undefined &&
      (now.cluster_id !== header.cluster_id || Number(now.raft_term) < Number(header.raft_term)))
  );
}

/** Asks for the trace. Rejects with etcd's error, also where that revision is compacted. */
export async function hasTrace(kv: KVClient, { revision, trace }: Position): Promise<boolean> {
  if (!trace) return true;
  const { kvs } = await kv.range({ key: trace.key, revision, keys_only: true });
  return Number(kvs[0]?.mod_revision ?? ABSENT) === trace.modRevision;
}
