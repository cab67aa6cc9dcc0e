import type { LeaseClient } from 'etcd3';
import { CALL_MS } from './etcd-member.js';
import { answers } from './etcd-stream.js';

interface KeepAlive {
  readonly leaseId: string;
  /** The answer is waited for no longer than this, nor than any. */
  readonly patienceMs: number | undefined;
  readonly signal: AbortSignal;
}

/** One question and one answer on a stream of its own: the seconds granted, 0 when the lease has expired. */
export async function keepAliveOnce(
  client: LeaseClient,
  { leaseId, patienceMs = CALL_MS, signal }: KeepAlive,
): Promise<number> {
  const stream = await client.leaseKeepAlive({ deadline: Date.now() + Math.min(patienceMs, CALL_MS) });
  stream.write({ ID: leaseId });
  for await (const { TTL } of answers(stream, signal)) return Number(TTL);
  throw new Error('the keep-alive stream was ended');
}
