/**
 * Leases in etcd v3, over the RPC clients of etcd3.
 *
 * A claim is compare-and-swap, then looked at once more. etcd's revisions put all claims in one order, so of two that
 * overlap (subnets of different lengths are different keys) the younger sees the older and gives way; the older cannot
 * see the younger, and need not:
 *
 *     revision 41   host A   if absent 10.5.16.0-20: put      all keys at 41: none overlaps          A stands
 *     revision 42   host B   if absent 10.5.17.0-24: put      all keys at 42: 10.5.16.0-20 does      B releases its key
 *
 * The keys are read after the transaction, pinned to its revision: the same answer as from inside it, without making
 * every member of etcd run a range over all hosts while it applies the write, and in pages that do not stall us.
 *
 * A claim that fails half-way is undone by taking back its etcd lease. When that fails too, the claim may stand: the
 * caller's next snapshot shows a lease with its public IP, which it takes for its own; if nobody does, it expires.
 */
import type { ICompare, IKeyValue, IRequestOp, IResponseHeader, ITxnResponse, LeaseClient } from 'etcd3';
import { LodenError } from '../errors.js';
import type { Prefix } from '../net/prefix.js';
import { configPath, encodeAttributes, leaseKey, leasePath, subnetsPath } from './codec.js';
import { type EtcdClients, EtcdConnection } from './etcd-connection.js';
import { LeaseEntries } from './etcd-entry.js';
import { isLeaseNotFound, storeError } from './etcd-errors.js';
import { CALL_MS } from './etcd-member.js';
import type { EtcdOptions } from './etcd-options.js';
import { readRange } from './etcd-range.js';
import { answers } from './etcd-stream.js';
import { watchEtcd } from './etcd-watch.js';
import type { Lease, LeaseAttributes } from './lease.js';
import type { ClaimResult, LeaseSnapshot, LeaseStore, LeaseUpdate } from './store.js';

export class EtcdStore implements LeaseStore {
  readonly #options: EtcdOptions;
  readonly #connection: EtcdConnection;
  readonly #entries: LeaseEntries;
  /** What every lease key begins with. */
  readonly #prefix: string;
  /** Of the last snapshot: which etcd it is that revisions are of. */
  #header: IResponseHeader | undefined;

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.#connection = new EtcdConnection(options);
    this.#entries = new LeaseEntries(options.prefix);
    this.#prefix = subnetsPath(options.prefix);
  }

  readConfig(signal: AbortSignal): Promise<string | undefined> {
    return this.#run(signal, async ({ kv }) => {
      const answer = await kv.range({ key: Buffer.from(configPath(this.#options.prefix)) });
      return answer.kvs[0]?.value.toString();
    });
  }

  writeConfig(text: string, expected: string | undefined, signal: AbortSignal): Promise<boolean> {
    return this.#run(signal, async ({ kv }) => {
      const key = Buffer.from(configPath(this.#options.prefix));
      const unchanged: ICompare =
        expected === undefined
          ? { key, target: 'Version', result: 'Equal', version: 0 }
          : { key, target: 'Value', result: 'Equal', value: Buffer.from(expected) };
      const write = { request_put: { key, value: Buffer.from(text) } };
      return (await kv.txn({ compare: [unchanged], success: [write] })).succeeded;
    });
  }

  async snapshot(signal: AbortSignal): Promise<LeaseSnapshot> {
    return (await this.#snapshot(signal)).snapshot;
  }

  claim(
    subnet: Prefix,
    attributes: LeaseAttributes,
    ttlSeconds: number,
    signal: AbortSignal,
  ): Promise<ClaimResult> {
    return this.#run(signal, async (clients) => {
      const key = this.#path({ subnet });
      const claimed = await withGrant(
        clients.lease,
        ttlSeconds,
        async (leaseId): Promise<ClaimResult | undefined> => {
          const value = Buffer.from(encodeAttributes(attributes));
          const answer = await clients.kv.txn({
            compare: [{ key, target: 'Version', result: 'Equal', version: 0 }],
            success: [{ request_put: { key, value, lease: leaseId } }],
          });
          if (!answer.succeeded) return undefined;
          const revision = Number(answer.header.revision);
          const lease = { subnet, attributes, leaseId, createRevision: revision, modRevision: revision };
          return { kind: 'claimed', lease, keys: await this.#keys(clients, revision) };
        },
      );
      return claimed ?? { kind: 'taken' };
    });
  }

  publish(
    lease: Lease,
    attributes: LeaseAttributes,
    regrantTtlSeconds: number | undefined,
    signal: AbortSignal,
  ): Promise<Lease | undefined> {
    return this.#run(signal, (clients) => {
      const put = async (leaseId: string): Promise<Lease | undefined> => {
        const value = Buffer.from(encodeAttributes(attributes));
        const answer = await this.#ifUnchanged(clients, lease, {
          request_put: { key: this.#path(lease), value, lease: leaseId },
        });
        if (!answer.succeeded) return undefined;
        return { ...lease, attributes, leaseId, modRevision: Number(answer.header.revision) };
      };
      if (regrantTtlSeconds !== undefined) return withGrant(clients.lease, regrantTtlSeconds, put);
      return put(lease.leaseId).catch((error: unknown) => {
        // The etcd lease has expired, and with it the key.
        if (isLeaseNotFound(error)) return undefined;
        throw error;
      });
    });
  }

  reserve(
    subnet: Prefix,
    attributes: LeaseAttributes,
    held: Lease | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    return this.#run(signal, async (clients) => {
      // To etcd, a key that is absent was last modified at revision 0.
      const expected = held ?? { subnet, modRevision: 0 };
      const value = Buffer.from(encodeAttributes(attributes));
      const put = { request_put: { key: this.#path(expected), value } };
      return (await this.#ifUnchanged(clients, expected, put)).succeeded;
    });
  }

  keepAlive(leaseId: string, signal: AbortSignal): Promise<number> {
    return this.#run(signal, async (clients) => {
      const stream = await clients.lease.leaseKeepAlive({ deadline: Date.now() + CALL_MS });
      stream.write({ ID: leaseId });
      for await (const { TTL } of answers(stream, signal)) return Number(TTL);
      throw new Error('the keep-alive stream was ended');
    });
  }

  timeToLive(leaseId: string, signal: AbortSignal): Promise<{ left: number; granted: number } | undefined> {
    return this.#run(signal, async ({ lease }) => {
      const answer = await lease.leaseTimeToLive({ ID: leaseId });
      const left = Number(answer.TTL);
      return left < 0 ? undefined : { left, granted: Number(answer.grantedTTL) };
    });
  }

  release(lease: Lease, signal: AbortSignal): Promise<boolean> {
    return this.#run(signal, async (clients) => {
      const remove = { request_delete_range: { key: this.#path(lease) } };
      return (await this.#ifUnchanged(clients, lease, remove)).succeeded;
    });
  }

  watch(revision: number, signal: AbortSignal): AsyncIterable<readonly LeaseUpdate[]> {
    return watchEtcd(
      {
        connection: this.#connection,
        prefix: this.#prefix,
        entries: this.#entries,
        signal,
        snapshot: () => this.#snapshot(signal),
        describe: (error) => this.#translate(error).message,
      },
      { revision, header: this.#header },
    );
  }

  close(): void {
    this.#connection.close();
  }

  #snapshot(signal: AbortSignal): Promise<{ snapshot: LeaseSnapshot; header: IResponseHeader }> {
    return this.#run(signal, async ({ kv }) => {
      const read = (entry: IKeyValue) => this.#entries.read(entry);
      const { entries, header } = await readRange(kv, { prefix: this.#prefix, keysOnly: false }, read);
      this.#header = header;
      const leases = entries.flatMap((entry) =>
        entry.kind === 'lease' ? [[entry.key, entry.lease] as const] : [],
      );
      const skipped = entries.flatMap((entry) => (entry.kind === 'skipped' ? [entry.skipped] : []));
      return { snapshot: { leases: new Map(leases), revision: Number(header.revision), skipped }, header };
    });
  }

  async #keys({ kv }: EtcdClients, revision: number): Promise<readonly string[]> {
    const keyOf = (entry: IKeyValue) => this.#entries.keyOf(entry);
    return (await readRange(kv, { prefix: this.#prefix, keysOnly: true, revision }, keyOf)).entries;
  }

  /** Carries an operation out if the key is still as `lease` has it. */
  #ifUnchanged(
    { kv }: EtcdClients,
    lease: Pick<Lease, 'subnet' | 'subnetV6' | 'modRevision'>,
    operation: IRequestOp,
  ): Promise<ITxnResponse> {
    const unchanged: ICompare = {
      key: this.#path(lease),
      target: 'Mod',
      result: 'Equal',
      mod_revision: lease.modRevision,
    };
    return kv.txn({ compare: [unchanged], success: [operation] });
  }

  #path(lease: Pick<Lease, 'subnet' | 'subnetV6'>): Buffer {
    return Buffer.from(leasePath(this.#options.prefix, leaseKey(lease)));
  }

  async #run<T>(signal: AbortSignal, call: (clients: EtcdClients) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      return await call(this.#connection.clients(signal));
    } catch (error) {
      signal.throwIfAborted();
      throw this.#translate(error);
    }
  }

  #translate(error: unknown): LodenError {
    return error instanceof LodenError ? error : storeError(error, this.#options);
  }
}

/** Grants an etcd lease for `use`, and takes it back when that fails or comes to nothing. */
async function withGrant<T>(
  client: LeaseClient,
  ttlSeconds: number,
  use: (leaseId: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  const { ID } = await client.leaseGrant({ TTL: ttlSeconds });
  let used: T | undefined;
  try {
    used = await use(ID);
    return used;
  } finally {
    // A revocation that fails leaves a lease without a key, or one that our next snapshot shows; it will expire.
    if (used === undefined) await client.leaseRevoke({ ID }).catch(() => undefined);
  }
}
