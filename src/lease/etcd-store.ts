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
import type { IKeyValue } from 'etcd3';
import { type LodenError, StoreDeniedError } from '../errors.js';
import type { Prefix } from '../net/prefix.js';
import { configPath, encodeAttributes, leaseKey, leasePath, subnetsPath } from './codec.js';
import { type EtcdClients, EtcdConnection } from './etcd-connection.js';
import { LeaseEntries, snapshotOf } from './etcd-entry.js';
import { isDenied, isLeaseNotFound, storeError } from './etcd-errors.js';
import { withGrant } from './etcd-grant.js';
import { newer, type Position, type Trace } from './etcd-history.js';
import { keepAliveOnce } from './etcd-keep-alive.js';
import type { EtcdOptions } from './etcd-options.js';
import { readRange } from './etcd-range.js';
import { ABSENT, modifiedAt, swap, valueIs } from './etcd-swap.js';
import { type FoundPosition, watchEtcd } from './etcd-watch.js';
import type { Lease, LeaseAttributes } from './lease.js';
import type { ClaimResult, LeaseSnapshot, LeaseStore, LeaseUpdate, WatchOptions } from './store.js';

type ExpectedKey = Pick<Lease, 'subnet' | 'subnetV6' | 'modRevision'>;

const NO_LEASE = '0';

export class EtcdStore implements LeaseStore {
  readonly #options: EtcdOptions;
  readonly #connection: EtcdConnection;
  readonly #entries: LeaseEntries;
  /** What every lease key begins with. */
  readonly #prefix: string;
  /** That of the last snapshot. */
  #position: Position | undefined;

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
      const put = { request_put: { key, value: Buffer.from(text) } };
      return (await swap(kv, valueIs(key, expected), put)) !== undefined;
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
      const use = async (leaseId: string): Promise<ClaimResult | undefined> => {
        const revision = await this.#put(clients, { subnet, modRevision: ABSENT }, attributes, leaseId);
        if (revision === undefined) return undefined;
        const lease = { subnet, attributes, leaseId, createRevision: revision, modRevision: revision };
        return { kind: 'claimed', lease, keys: await this.#keys(clients, revision) };
      };
      const claimed = await withGrant({ client: clients.lease, ttlSeconds, use, mayUndo: () => true });
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
      const use = async (leaseId: string): Promise<Lease | undefined> => {
        const modRevision = await this.#put(clients, lease, attributes, leaseId);
        return modRevision === undefined ? undefined : { ...lease, attributes, leaseId, modRevision };
      };
      if (regrantTtlSeconds !== undefined) {
        // After any other failure our key may be on the new lease already, and must not go with it.
        const grant = { ttlSeconds: regrantTtlSeconds, use, mayUndo: isDenied };
        return withGrant({ client: clients.lease, ...grant });
      }
      return use(lease.leaseId).catch((error: unknown) => {
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
      const expected = held ?? { subnet, modRevision: ABSENT };
      return (await this.#put(clients, expected, attributes, NO_LEASE)) !== undefined;
    });
  }

  keepAlive(leaseId: string, signal: AbortSignal, patienceMs?: number): Promise<number> {
    return this.#run(signal, ({ lease }) => keepAliveOnce(lease, { leaseId, patienceMs, signal }));
  }

  timeToLive(leaseId: string, signal: AbortSignal): Promise<{ left: number; granted: number } | undefined> {
    return this.#run(signal, async ({ lease }) => {
      const answer = await lease.leaseTimeToLive({ ID: leaseId });
      const left = Number(answer.TTL);
      return left < 0 ? undefined : { left, granted: Number(answer.grantedTTL) };
    });
  }

  release(lease: Lease, signal: AbortSignal): Promise<boolean> {
    return this.#run(signal, async ({ kv }) => {
      const key = this.#path(lease);
      const remove = { request_delete_range: { key } };
      return (await swap(kv, modifiedAt(key, lease.modRevision), remove)) !== undefined;
    });
  }

  watch(
    revision: number,
    signal: AbortSignal,
    { afresh = false }: WatchOptions = {},
  ): AsyncIterable<readonly LeaseUpdate[]> {
    return watchEtcd(
      {
        connection: this.#connection,
        prefix: this.#prefix,
        entries: this.#entries,
        signal,
        snapshot: () => this.#snapshot(signal),
        describe: (cause) => {
          const error = this.#translate(cause);
          return { reason: error.message, refused: error instanceof StoreDeniedError };
        },
      },
      this.#position?.revision === revision ? this.#position : { revision, header: this.#position?.header },
      afresh,
    );
  }

  redial(): void {
    this.#connection.redial();
  }

  close(): void {
    this.#connection.close();
  }

  #snapshot(signal: AbortSignal): Promise<FoundPosition> {
    return this.#run(signal, async ({ kv }) => {
      let trace: Trace | undefined;
      const read = (entry: IKeyValue) => {
        trace = newer(trace, entry);
        return this.#entries.read(entry);
      };
      const { entries, header } = await readRange(kv, { prefix: this.#prefix, keysOnly: false }, read);
      const position = { revision: Number(header.revision), header, trace };
      this.#position = position;
      return { snapshot: snapshotOf(entries, position.revision), position };
    });
  }

  async #keys({ kv }: EtcdClients, revision: number): Promise<readonly string[]> {
    const keyOf = (entry: IKeyValue) => this.#entries.keyOf(entry);
    return (await readRange(kv, { prefix: this.#prefix, keysOnly: true, revision }, keyOf)).entries;
  }

  /** Writes the key if it is still as `expected` has it. The revision of that; undefined when it is not. */
  #put({ kv }: EtcdClients, expected: ExpectedKey, attributes: LeaseAttributes, leaseId: string) {
    const key = this.#path(expected);
    const value = Buffer.from(encodeAttributes(attributes));
    const put = { request_put: { key, value, lease: leaseId } };
    return swap(kv, modifiedAt(key, expected.modRevision), put);
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
    const { tls, hasServed } = this.#connection;
    return storeError(error, { ...this.#options, tls, hasServed });
  }
}
