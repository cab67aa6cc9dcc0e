/** What every LeaseStore must do, as tests that run on the fake and on a real etcd. */
import type { ExecutionContext } from 'ava';
import { StoreUnavailableError } from '../../src/errors.js';
import type { Lease } from '../../src/lease/lease.js';
import type { ClaimResult, LeaseSnapshot, LeaseStore, LeaseUpdate } from '../../src/lease/store.js';
import { LeaseTable } from '../../src/lease/table.js';
import { attributes, prefix } from '../lease/leases.js';

/** One store over an etcd of its own, and a hand on that etcd and on the connection between them. */
export interface World {
  readonly store: LeaseStore;
  setConfig(text: string): Promise<void>;
  /** Writes a key below `subnets/` without an etcd lease. */
  put(key: string, text: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Ends an etcd lease as if its time were over. */
  expire(leaseId: string): Promise<void>;
  compact(): Promise<void>;
  cut(): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

const TTL = 60;
const subnet = prefix('10.5.34.0/24');
const DEADLINE_MS = 20_000;

/** `declare` is AVA's `test` or `test.skip`. */
export function leaseStoreContract(
  declare: (title: string, run: (t: ExecutionContext) => Promise<void>) => void,
  open: () => Promise<World>,
): void {
  /** Runs a test in a world of its own, which is cleaned up whatever happens. */
  function inWorld(
    title: string,
    body: (t: ExecutionContext, world: World, signal: AbortSignal) => Promise<void>,
  ) {
    declare(title, async (t) => {
      const world = await open();
      const end = new AbortController();
      try {
        await body(t, world, end.signal);
      } finally {
        end.abort();
        await world.close();
      }
    });
  }

  inWorld('the config is undefined until it is written', async (t, { store, setConfig }, signal) => {
    t.is(await store.readConfig(signal), undefined);
    await setConfig('{"Network":"10.5.0.0/16"}');
    t.is(await store.readConfig(signal), '{"Network":"10.5.0.0/16"}');
  });

  inWorld('the config is written only over what is expected there', async (t, { store }, signal) => {
    t.false(await store.writeConfig('new', 'old', signal));
    t.true(await store.writeConfig('first', undefined, signal));
    t.false(await store.writeConfig('second', undefined, signal));
    t.false(await store.writeConfig('second', 'fir', signal));
    t.true(await store.writeConfig('second', 'first', signal));
    t.is(await store.readConfig(signal), 'second');
  });

  inWorld('a free subnet is reserved once, without an etcd lease', async (t, { store }, signal) => {
    const whom = attributes('192.0.2.1');
    t.true(await store.reserve(subnet, whom, undefined, signal));
    t.false(await store.reserve(subnet, attributes('192.0.2.2'), undefined, signal));
    const [lease] = (await store.snapshot(signal)).leases.values();
    t.is(lease!.leaseId, '0');
    t.deepEqual(lease!.attributes, whom);
  });

  inWorld('a lease becomes a reservation if it is as it was seen', async (t, { store, expire }, signal) => {
    const { lease } = claimed(await store.claim(subnet, attributes('192.0.2.1'), TTL, signal));
    const moved = (await store.publish(lease, attributes('192.0.2.2'), undefined, signal))!;
    t.false(await store.reserve(subnet, lease.attributes, lease, signal));
    t.true(await store.reserve(subnet, moved.attributes, moved, signal));
    await expire(lease.leaseId);
    t.deepEqual([...(await store.snapshot(signal)).leases.keys()], ['10.5.34.0-24']);
  });

  inWorld('a claimed lease is in the snapshot as it was claimed', async (t, { store }, signal) => {
    const data = attributes('192.0.2.1', { backendType: 'vxlan', backendData: { VNI: 1 }, identity: 'x<y' });
    const { lease, keys } = claimed(await store.claim(subnet, data, TTL, signal));
    const snapshot = await store.snapshot(signal);
    t.deepEqual([...snapshot.leases], [['10.5.34.0-24', lease]]);
    t.deepEqual(lease.attributes, data);
    t.deepEqual(keys, ['10.5.34.0-24']);
    t.is(snapshot.revision, lease.modRevision);
    t.deepEqual(snapshot.skipped, []);
  });

  inWorld(
    'a claim of a key that is there is refused and leaves it as it is',
    async (t, { store }, signal) => {
      const { lease } = claimed(await store.claim(subnet, attributes('192.0.2.1'), TTL, signal));
      t.deepEqual(await store.claim(subnet, attributes('192.0.2.2'), TTL, signal), { kind: 'taken' });
      t.deepEqual([...(await store.snapshot(signal)).leases.values()], [lease]);
    },
  );

  inWorld('of many claims of one key at once, one succeeds', async (t, { store }, signal) => {
    const claims = Array.from({ length: 20 }, (_, n) =>
      store.claim(subnet, attributes(`192.0.2.${n}`), TTL, signal),
    );
    const kinds = (await Promise.all(claims)).map(({ kind }) => kind);
    t.is(kinds.filter((kind) => kind === 'claimed').length, 1);
  });

  inWorld('of two claims that overlap the younger sees the older', async (t, { store }, signal) => {
    const claims = ['10.5.16.0/20', '10.5.17.0/24', '10.5.18.0/24'].map((text, n) =>
      store.claim(prefix(text), attributes(`192.0.2.${n}`), TTL, signal),
    );
    const results = (await Promise.all(claims)).map(claimed);
    const [oldest, middle, youngest] = results.sort(
      (a, b) => a.lease.createRevision - b.lease.createRevision,
    );
    t.deepEqual(
      [oldest, middle, youngest].map((result) => result!.keys.length),
      [1, 2, 3],
    );
  });

  inWorld('attributes are published on the same etcd lease', async (t, { store }, signal) => {
    const { lease } = claimed(await store.claim(subnet, attributes('192.0.2.1'), TTL, signal));
    const published = await store.publish(lease, attributes('192.0.2.9'), undefined, signal);
    t.deepEqual(published, {
      ...lease,
      attributes: attributes('192.0.2.9'),
      modRevision: published!.modRevision,
    });
    t.true(published!.modRevision > lease.modRevision);
    t.deepEqual([...(await store.snapshot(signal)).leases.values()], [published]);
  });

  inWorld(
    'a lease is published on a new etcd lease of another length',
    async (t, { store, expire }, signal) => {
      const { lease } = claimed(await store.claim(subnet, attributes('192.0.2.1'), TTL, signal));
      const published = (await store.publish(lease, lease.attributes, 2 * TTL, signal))!;
      t.not(published.leaseId, lease.leaseId);
      t.is((await store.timeToLive(published.leaseId, signal))!.granted, 2 * TTL);
      await expire(lease.leaseId);
      t.deepEqual([...(await store.snapshot(signal)).leases.values()], [published]);
    },
  );

  inWorld(
    'what has changed meanwhile is neither published over nor released',
    async (t, { store }, signal) => {
      const { lease } = claimed(await store.claim(subnet, attributes('192.0.2.1'), TTL, signal));
      const newer = (await store.publish(lease, attributes('192.0.2.9'), undefined, signal))!;
      t.is(await store.publish(lease, attributes('192.0.2.8'), undefined, signal), undefined);
      t.is(await store.publish(lease, attributes('192.0.2.8'), TTL, signal), undefined);
      t.false(await store.release(lease, signal));
      t.deepEqual([...(await store.snapshot(signal)).leases.values()], [newer]);
      t.true(await store.release(newer, signal));
      t.is((await store.snapshot(signal)).leases.size, 0);
      t.false(await store.release(newer, signal));
    },
  );

  inWorld('what cannot be read is published over as long as it is the same', async (t, world, signal) => {
    const { store, put } = world;
    const { lease } = claimed(await store.claim(subnet, attributes('192.0.2.1'), TTL, signal));
    await put('10.5.34.0-24', 'not JSON');
    const [rubbish] = (await store.snapshot(signal)).skipped;
    await put('10.5.34.0-24', 'no JSON either');
    const over = { ...lease, ...rubbish };
    t.is(await store.publish(over, lease.attributes, TTL, signal), undefined);
    const [later] = (await store.snapshot(signal)).skipped;
    t.is(later!.createRevision, lease.createRevision);
    const published = await store.publish({ ...lease, ...later }, lease.attributes, TTL, signal);
    t.not(published!.leaseId, lease.leaseId);
    t.like((await store.snapshot(signal)).leases.get('10.5.34.0-24'), {
      leaseId: published!.leaseId,
      modRevision: published!.modRevision,
      attributes: lease.attributes,
    });
  });

  inWorld('an expired lease is gone with its key', async (t, { store, expire }, signal) => {
    const { lease } = claimed(await store.claim(subnet, attributes('192.0.2.1'), TTL, signal));
    t.is(await store.keepAlive(lease.leaseId, signal), TTL);
    const time = (await store.timeToLive(lease.leaseId, signal))!;
    t.is(time.granted, TTL);
    t.true(time.left > TTL - 30 && time.left <= TTL);
    await expire(lease.leaseId);
    t.is(await store.keepAlive(lease.leaseId, signal), 0);
    t.is(await store.timeToLive(lease.leaseId, signal), undefined);
    t.is(await store.publish(lease, lease.attributes, undefined, signal), undefined);
    t.is((await store.snapshot(signal)).leases.size, 0);
  });

  inWorld(
    'a key without an etcd lease is a reservation, and stays one',
    async (t, { store, put }, signal) => {
      await put('10.5.34.0-24', '{"PublicIP":"192.0.2.1"}');
      const lease = (await store.snapshot(signal)).leases.get('10.5.34.0-24')!;
      t.is(lease.leaseId, '0');
      const published = (await store.publish(lease, attributes('192.0.2.1'), undefined, signal))!;
      t.is(published.leaseId, '0');
      t.deepEqual((await store.snapshot(signal)).leases.get('10.5.34.0-24'), published);
      t.is(await store.timeToLive('0', signal), undefined);
    },
  );

  inWorld('what is no lease is skipped, in a snapshot and in a watch', async (t, { store, put }, signal) => {
    const follower = new Follower(store, await store.snapshot(signal), signal);
    await put('10.5.34.0-24', 'not JSON');
    await put('readme', '{}');
    await put('10.5.35.0-24', '{"PublicIP":"192.0.2.1"}');
    await follower.until(({ leases }) => leases.size === 1);
    const skipped = new Map((await store.snapshot(signal)).skipped.map(({ key, reason }) => [key, reason]));
    t.deepEqual(
      skipped,
      new Map([
        ['10.5.34.0-24', 'the value "not JSON" is not a JSON object'],
        ['readme', 'the key names no subnet'],
      ]),
    );
    t.deepEqual(follower.table.skipped, skipped);
  });

  inWorld('a watch tells what follows its revision, in order', async (t, { store, remove }, signal) => {
    const { lease } = claimed(await store.claim(subnet, attributes('192.0.2.1'), TTL, signal));
    const newer = (await store.publish(lease, attributes('192.0.2.9'), undefined, signal))!;
    await remove('10.5.34.0-24');
    const follower = new Follower(
      store,
      { leases: new Map(), revision: lease.modRevision, skipped: [] },
      signal,
    );
    await follower.until(() => follower.updates.length === 2);
    t.deepEqual(follower.updates, [
      { kind: 'put', key: '10.5.34.0-24', lease: newer },
      { kind: 'delete', key: '10.5.34.0-24' },
    ]);
  });

  inWorld('an expiry is told as a deletion', async (t, { store, expire }, signal) => {
    const { lease } = claimed(await store.claim(subnet, attributes('192.0.2.1'), TTL, signal));
    const follower = new Follower(store, await store.snapshot(signal), signal);
    await expire(lease.leaseId);
    await follower.until(({ leases }) => leases.size === 0);
    t.deepEqual(follower.updates, [{ kind: 'delete', key: '10.5.34.0-24' }]);
  });

  inWorld('nothing is missed over a cut, which is told once, and its end once', async (t, world, signal) => {
    const follower = new Follower(world.store, await world.store.snapshot(signal), signal);
    await world.put('10.5.1.0-24', '{"PublicIP":"192.0.2.1"}');
    await follower.until(({ leases }) => leases.size === 1);
    await world.cut();
    await follower.until(() => follower.updates.some(({ kind }) => kind === 'disconnected'));
    await world.put('10.5.2.0-24', '{"PublicIP":"192.0.2.2"}');
    await world.remove('10.5.1.0-24');
    await world.mend();
    await follower.until(({ leases }) => leases.size === 1 && leases.has('10.5.2.0-24'));
    t.deepEqual(
      follower.updates.map(({ kind }) => kind),
      ['put', 'disconnected', 'connected', 'put', 'delete'],
    );
  });

  inWorld(
    'a compaction during a cut ends in a snapshot, changed attributes included',
    async (t, world, signal) => {
      await world.put('10.5.1.0-24', '{"PublicIP":"192.0.2.1"}');
      await world.put('10.5.2.0-24', '{"PublicIP":"192.0.2.2"}');
      const follower = new Follower(world.store, await world.store.snapshot(signal), signal);
      await world.cut();
      await follower.until(() => follower.updates.some(({ kind }) => kind === 'disconnected'));
      await world.put('10.5.1.0-24', '{"PublicIP":"192.0.2.111"}');
      await world.remove('10.5.2.0-24');
      await world.put('10.5.3.0-24', '{"PublicIP":"192.0.2.3"}');
      await world.compact();
      await world.mend();
      await follower.until(({ leases }) => leases.has('10.5.3.0-24'));
      t.deepEqual(follower.table.leases, (await world.store.snapshot(signal)).leases);
      t.is(follower.table.leases.get('10.5.1.0-24')!.attributes.publicIp, '192.0.2.111');
      t.deepEqual(
        follower.updates.map(({ kind }) => kind).filter((kind) => kind === 'put'),
        [],
      );
      t.true(follower.updates.some(({ kind }) => kind === 'snapshot'));
      await world.remove('10.5.3.0-24');
      await follower.until(({ leases }) => !leases.has('10.5.3.0-24'));
    },
  );

  inWorld(
    'a call while cut off is refused as unavailable, and works again after',
    async (t, world, signal) => {
      await world.store.snapshot(signal);
      await world.cut();
      await t.throwsAsync(world.store.snapshot(signal), { instanceOf: StoreUnavailableError });
      await t.throwsAsync(world.store.claim(subnet, attributes('192.0.2.1'), TTL, signal), {
        instanceOf: StoreUnavailableError,
      });
      await t.throwsAsync(world.store.keepAlive('7587', signal), { instanceOf: StoreUnavailableError });
      await world.mend();
      await eventually(async () => t.is((await world.store.snapshot(signal)).leases.size, 0));
    },
  );

  for (const [ahead, restored] of [
    [0, false],
    [1000, true],
  ] as const)
    inWorld(
      `a watch that begins afresh ${ahead > 0 ? 'knows a restored store by its revision' : 'tells all there is first'}`,
      async (t, { store, put }, signal) => {
        const claim = await store.claim(subnet, attributes('192.0.2.1'), TTL, signal);
        const { revision } = await store.snapshot(signal);
        const end = new AbortController();
        for await (const [first, ...rest] of store.watch(revision + ahead, end.signal, { afresh: true })) {
          if (first?.kind === 'put') {
            t.is(first.key, '10.5.35.0-24');
            break;
          }
          t.deepEqual(rest, []);
          if (first?.kind !== 'snapshot') return t.fail(first?.kind);
          t.is(first.restored, restored);
          t.deepEqual([...first.snapshot.leases.values()], claim.kind === 'claimed' ? [claim.lease] : []);
          await put('10.5.35.0-24', '{"PublicIP":"192.0.2.2"}');
        }
        end.abort();
      },
    );

  inWorld(
    'an abort ends calls with its reason, and the watch without an error',
    async (t, { store }, signal) => {
      const end = new AbortController();
      const { revision } = await store.snapshot(signal);
      const watched = (async () => {
        for await (const _ of store.watch(revision, end.signal));
        return 'ended';
      })();
      const reason = new Error('enough');
      end.abort(reason);
      t.is(await t.throwsAsync(store.snapshot(end.signal)), reason);
      t.is(await watched, 'ended');
    },
  );
}

/** Follows a store's watch and keeps all that it told. */
export class Follower {
  readonly updates: LeaseUpdate[] = [];
  readonly table: LeaseTable;
  readonly done: Promise<void>;

  constructor(store: LeaseStore, snapshot: LeaseSnapshot, signal: AbortSignal) {
    this.table = new LeaseTable(snapshot);
    this.done = this.#follow(store, snapshot.revision, signal);
  }

  async until(reached: (table: LeaseTable) => boolean): Promise<void> {
    await eventually(async () => {
      if (!reached(this.table)) throw new Error(`not reached by ${JSON.stringify(this.updates)}`);
    });
  }

  async #follow(store: LeaseStore, revision: number, signal: AbortSignal): Promise<void> {
    for await (const batch of store.watch(revision, signal))
      for (const update of batch) {
        this.updates.push(update);
        this.table.fold(update);
      }
  }
}

/** Tries until it succeeds; rejects with the last error when the time is over. */
export async function eventually<T>(attempt: () => Promise<T>, ms = DEADLINE_MS): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function claimed(result: ClaimResult): { readonly lease: Lease; readonly keys: readonly string[] } {
  if (result.kind !== 'claimed') throw new Error('the key is taken');
  return result;
}
