/**
 * etcd as far as leases need it, in memory and in no time: revisions, leases that expire when the test says so, history
 * and compaction, and stores that can be cut off from it. It refuses what etcd refuses.
 */
import { EventEmitter, once } from 'node:events';
import { StoreUnavailableError } from '../../src/errors.js';
import { decodeAttributes, encodeAttributes, leaseKey, parseLeaseKey } from '../../src/lease/codec.js';
import type { Lease, LeaseAttributes } from '../../src/lease/lease.js';
import type {
  ClaimResult,
  LeaseSnapshot,
  LeaseStore,
  LeaseUpdate,
  WatchOptions,
} from '../../src/lease/store.js';
import type { Prefix } from '../../src/net/prefix.js';

interface Entry {
  readonly text: string;
  readonly leaseId: string;
  readonly createRevision: number;
  readonly modRevision: number;
}

export class FakeEtcd {
  config: string | undefined;
  revision = 1;
  /** History before this revision is gone. */
  compacted = 0;
  readonly entries = new Map<string, Entry>();
  readonly grants = new Map<string, { ttlSeconds: number; expiresAt: number }>();
  readonly history: { readonly revision: number; readonly update: LeaseUpdate }[] = [];
  /** Emits `change` when there is something to look at. */
  readonly changes = new EventEmitter().setMaxListeners(0);
  #seconds = 0;
  #lastLeaseId = 7000;

  put(key: string, text: string, leaseId = '0'): Entry {
    this.revision++;
    const createRevision = this.entries.get(key)?.createRevision ?? this.revision;
    const entry = { text, leaseId, createRevision, modRevision: this.revision };
    this.entries.set(key, entry);
    this.#happened(readEntry(key, entry));
    return entry;
  }

  remove(key: string): void {
    if (!this.entries.delete(key)) return;
    this.revision++;
    this.#happened({ kind: 'delete', key });
  }

  grant(ttlSeconds: number): string {
    const id = String(++this.#lastLeaseId);
    this.grants.set(id, { ttlSeconds, expiresAt: this.#seconds + ttlSeconds });
    return id;
  }

  /** Seconds that an etcd lease still has; undefined when there is none. */
  secondsLeft(leaseId: string): number | undefined {
    const grant = this.grants.get(leaseId);
    return grant && grant.expiresAt - this.#seconds;
  }

  renew(leaseId: string): number {
    const grant = this.grants.get(leaseId);
    if (!grant) return 0;
    grant.expiresAt = this.#seconds + grant.ttlSeconds;
    return grant.ttlSeconds;
  }

  revoke(leaseId: string): void {
    this.grants.delete(leaseId);
    for (const [key, entry] of [...this.entries]) if (entry.leaseId === leaseId) this.remove(key);
  }

  /** Time passes, and etcd leases expire. */
  advance(seconds: number): void {
    this.#seconds += seconds;
    for (const [id, grant] of [...this.grants]) if (grant.expiresAt <= this.#seconds) this.revoke(id);
  }

  compact(): void {
    this.compacted = this.revision;
  }

  /** All there is, to be put back later. */
  backup(): () => void {
    const { config, revision } = this;
    const [entries, grants] = [new Map(this.entries), new Map(this.grants)];
    return () => {
      this.config = config;
      this.revision = revision;
      this.entries.clear();
      for (const [key, entry] of entries) this.entries.set(key, entry);
      for (const [id, grant] of grants) this.grants.set(id, { ...grant });
      this.history.length = 0;
      this.changes.emit('change');
    };
  }

  #happened(update: LeaseUpdate): void {
    this.history.push({ revision: this.revision, update });
    this.changes.emit('change');
  }
}

export class FakeLeaseStore implements LeaseStore {
  readonly #etcd: FakeEtcd;
  #connected = true;
  #answerLost = false;
  /** Names of the calls made, in order. */
  readonly calls: string[] = [];

  constructor(etcd: FakeEtcd) {
    this.#etcd = etcd;
  }

  cut(): void {
    this.#connected = false;
    this.#etcd.changes.emit('change');
  }

  mend(): void {
    this.#connected = true;
    this.#etcd.changes.emit('change');
  }

  /** The next call is carried out, but its caller does not learn of it. */
  loseNextAnswer(): void {
    this.#answerLost = true;
  }

  readConfig(signal: AbortSignal): Promise<string | undefined> {
    return this.#call('readConfig', signal, () => this.#etcd.config);
  }

  writeConfig(text: string, expected: string | undefined, signal: AbortSignal): Promise<boolean> {
    return this.#call('writeConfig', signal, () => {
      if (this.#etcd.config !== expected) return false;
      this.#etcd.config = text;
      return true;
    });
  }

  snapshot(signal: AbortSignal): Promise<LeaseSnapshot> {
    return this.#call('snapshot', signal, () => this.#snapshot());
  }

  claim(
    subnet: Prefix,
    attributes: LeaseAttributes,
    ttlSeconds: number,
    signal: AbortSignal,
  ): Promise<ClaimResult> {
    return this.#call('claim', signal, () => {
      const key = leaseKey({ subnet });
      if (this.#etcd.entries.has(key)) return { kind: 'taken' };
      const leaseId = this.#etcd.grant(ttlSeconds);
      const entry = this.#etcd.put(key, encodeAttributes(attributes), leaseId);
      const { createRevision, modRevision } = entry;
      const lease = { subnet, attributes, leaseId, createRevision, modRevision };
      return { kind: 'claimed', lease, keys: [...this.#etcd.entries.keys()] };
    });
  }

  publish(
    lease: Lease,
    attributes: LeaseAttributes,
    regrantTtlSeconds: number | undefined,
    signal: AbortSignal,
  ): Promise<Lease | undefined> {
    return this.#call('publish', signal, () => {
      if (!this.#isUnchanged(lease)) return undefined;
      const leaseId = regrantTtlSeconds === undefined ? lease.leaseId : this.#etcd.grant(regrantTtlSeconds);
      if (leaseId !== '0' && !this.#etcd.grants.has(leaseId)) return undefined;
      const { modRevision } = this.#etcd.put(leaseKey(lease), encodeAttributes(attributes), leaseId);
      return { ...lease, attributes, leaseId, modRevision };
    });
  }

  reserve(
    subnet: Prefix,
    attributes: LeaseAttributes,
    held: Lease | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    return this.#call('reserve', signal, () => {
      const key = leaseKey(held ?? { subnet });
      if (this.#etcd.entries.get(key)?.modRevision !== held?.modRevision) return false;
      this.#etcd.put(key, encodeAttributes(attributes));
      return true;
    });
  }

  keepAlive(leaseId: string, signal: AbortSignal, _patienceMs?: number): Promise<number> {
    return this.#call('keepAlive', signal, () => this.#etcd.renew(leaseId));
  }

  timeToLive(leaseId: string, signal: AbortSignal): Promise<{ left: number; granted: number } | undefined> {
    return this.#call('timeToLive', signal, () => {
      const left = this.#etcd.secondsLeft(leaseId);
      return left === undefined ? undefined : { left, granted: this.#etcd.grants.get(leaseId)!.ttlSeconds };
    });
  }

  release(lease: Lease, signal: AbortSignal): Promise<boolean> {
    return this.#call('release', signal, () => {
      if (!this.#isUnchanged(lease)) return false;
      this.#etcd.remove(leaseKey(lease));
      return true;
    });
  }

  async *watch(
    revision: number,
    signal: AbortSignal,
    { afresh = false }: WatchOptions = {},
  ): AsyncGenerator<readonly LeaseUpdate[]> {
    let position = revision;
    let told = true;
    let whole = afresh;
    while (!signal.aborted) {
      if (told !== this.#connected) {
        told = this.#connected;
        yield [
          told
            ? { kind: 'connected' }
            : { kind: 'disconnected', reason: 'the test cut the connection', refused: false },
        ];
      } else if (told && (whole || position + 1 < this.#etcd.compacted || position > this.#etcd.revision)) {
        const snapshot = this.#snapshot();
        const restored = position > snapshot.revision;
        position = snapshot.revision;
        whole = false;
        yield [{ kind: 'snapshot', snapshot, restored }];
      } else {
        const news = told ? this.#etcd.history.filter((event) => event.revision > position) : [];
        if (news.length > 0) {
          position = news.at(-1)!.revision;
          yield news.map(({ update }) => update);
        } else await once(this.#etcd.changes, 'change', { signal }).catch(() => undefined);
      }
    }
  }

  redial(): void {
    this.calls.push('redial');
  }

  close(): void {
    this.cut();
  }

  #snapshot(): LeaseSnapshot {
    const updates = [...this.#etcd.entries].map(([key, entry]) => readEntry(key, entry));
    return {
      leases: new Map(
        updates.flatMap((update) => (update.kind === 'put' ? [[update.key, update.lease]] : [])),
      ),
      skipped: updates.flatMap((update) => (update.kind === 'skipped' ? [update.skipped] : [])),
      revision: this.#etcd.revision,
    };
  }

  #isUnchanged(lease: Lease): boolean {
    return this.#etcd.entries.get(leaseKey(lease))?.modRevision === lease.modRevision;
  }

  async #call<T>(name: string, signal: AbortSignal, work: () => T): Promise<T> {
    this.calls.push(name);
    // As over a network: others may come first.
    await Promise.resolve();
    signal.throwIfAborted();
    if (!this.#connected) throw new StoreUnavailableError('the test cut the connection');
    const result = work();
    if (!this.#answerLost) return result;
    this.#answerLost = false;
    throw new StoreUnavailableError('the test lost the answer');
  }
}

function readEntry(key: string, { text, ...entry }: Entry): LeaseUpdate {
  const subnets = parseLeaseKey(key);
  const { createRevision, modRevision } = entry;
  const skip = (reason: string): LeaseUpdate => ({
    kind: 'skipped',
    skipped: { key, reason, createRevision, modRevision },
  });
  if (!subnets) return skip('the key names no subnet');
  const attributes = decodeAttributes(text);
  if ('reason' in attributes) return skip(attributes.reason);
  return { kind: 'put', key, lease: { ...subnets, attributes: attributes.value, ...entry } };
}
