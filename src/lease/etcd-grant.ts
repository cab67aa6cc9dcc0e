import type { LeaseClient } from 'etcd3';

export interface GrantInput<T> {
  readonly client: LeaseClient;
  readonly ttlSeconds: number;
  /** Undefined: the lease came to nothing. */
  use(leaseId: string): Promise<T | undefined>;
  /** Whether the lease may be taken back after this failure, which takes along whatever key was put on it. */
  mayUndo(error: unknown): boolean;
}

/** Grants an etcd lease for `use`, and takes it back when it comes to nothing. */
export async function withGrant<T>({
  client,
  ttlSeconds,
  use,
  mayUndo,
}: GrantInput<T>): Promise<T | undefined> {
  const { ID } = await client.leaseGrant({ TTL: ttlSeconds });
  // When this fails too, a lease is left that will expire; if a key is on it, the next snapshot shows that.
  const undo = () => client.leaseRevoke({ ID }).catch(() => undefined);
  try {
    const used = await use(ID);
    if (used === undefined) await undo();
    return used;
  } catch (error) {
    if (mayUndo(error)) await undo();
    throw error;
  }
}
