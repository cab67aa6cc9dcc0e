/**
 * All keys that begin with a prefix, as of one revision, a page at a time.
 *
 * 10,000 leases in one answer hold up the event loop for 100 ms while they are decoded. In pages of 500, the later ones
 * pinned to the revision of the first, they are as exact and hold it up for 13 ms; all takes 180 ms instead of 120.
 */
import { type IKeyValue, type IRangeResponse, type KVClient, Range } from 'etcd3';
import { isCompacted } from './etcd-errors.js';

const PAGE_KEYS = 500;

export interface RangeQuery {
  readonly prefix: string;
  readonly keysOnly: boolean;
  /** Undefined: now. */
  readonly revision?: number;
}

export interface RangeResult<T> {
  readonly entries: readonly T[];
  readonly header: IRangeResponse['header'];
}

/** Reads with `read` what each key has, as its page comes in. */
export async function readRange<T>(
  kv: KVClient,
  query: RangeQuery,
  read: (entry: IKeyValue) => T,
): Promise<RangeResult<T>> {
  for (;;) {
    try {
      return await readPages(kv, query, read);
    } catch (error) {
      // A compaction came between two pages. What was asked for now can be had at a later revision.
      if (!isCompacted(error) || query.revision !== undefined) throw error;
    }
  }
}

async function readPages<T>(
  kv: KVClient,
  query: RangeQuery,
  read: (entry: IKeyValue) => T,
): Promise<RangeResult<T>> {
  const range = Range.prefix(query.prefix);
  const page = { range_end: range.end, limit: PAGE_KEYS, keys_only: query.keysOnly };
  const first = await kv.range({ ...page, key: range.start, revision: query.revision ?? 0 });
  const revision = query.revision ?? first.header.revision;
  const entries: T[] = [];
  for (let answer: IRangeResponse | undefined = first; answer !== undefined; ) {
    const last = answer.kvs.at(-1);
    // Asked for before this page is read, so that etcd works while we do.
    const next: Promise<IRangeResponse> | undefined =
      answer.more && last ? kv.range({ ...page, key: justAfter(last.key), revision }) : undefined;
    for (const entry of answer.kvs) entries.push(read(entry));
    answer = await next;
  }
  return { entries, header: first.header };
}

/** The smallest key that is greater. */
function justAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}
