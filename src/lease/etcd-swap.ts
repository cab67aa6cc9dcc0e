/** Compare-and-swap: a write that happens only if its key is as expected. */
import type { ICompare, IRequestOp, KVClient } from 'etcd3';

/** To etcd, a key that is absent was last modified at this revision. */
export const ABSENT = 0;

export function modifiedAt(key: Buffer, modRevision: number): ICompare {
  return { key, target: 'Mod', result: 'Equal', mod_revision: modRevision };
}

/** `text` undefined: the key is absent. */
export function valueIs(key: Buffer, text: string | undefined): ICompare {
  if (text === undefined) return modifiedAt(key, ABSENT);
  return { key, target: 'Value', result: 'Equal', value: Buffer.from(text) };
}

/** The revision of the write; undefined when the key is not as expected. */
export async function swap(kv: KVClient, expected: ICompare, write: IRequestOp): Promise<number | undefined> {
  const answer = await kv.txn({ compare: [expected], success: [write] });
  return answer.succeeded ? Number(answer.header.revision) : undefined;
}
