import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { pino } from 'pino';
import { Reconciler } from '../../../src/agent/reconcile/reconciler.js';
import { vxlan } from '../../../src/backend/vxlan/vxlan.js';
import { backendJson } from '../../../src/config/network.js';
import type { Ownership } from '../../../src/kernel/kernel.js';
import { type KernelObject, keyOf, type Route } from '../../../src/kernel/objects.js';
import { network, peerLease, uplink, viewOf } from '../../backend/views.js';
import { FakeKernel } from '../../fakes/kernel.js';
import { until } from '../../until.js';

const options = vxlan.parseOptions(backendJson({ Type: 'vxlan' }));
const view = viewOf(options, { VNI: 1, VtepMAC: '02:00:00:00:00:01' });
const owned: Ownership = { ...vxlan.owns(options), pools: [network.network], uplink: uplink.name };

/** The objects for peer number `n`, whose VTEP has the number `mac`. */
function peer(n: number, mac = n): readonly KernelObject[] {
  const octet = mac.toString(16).padStart(2, '0');
  const data = { VNI: 1, VtepMAC: `02:00:00:00:01:${octet}` };
  return vxlan.planPeer(view, peerLease(`10.5.${n}.0/24`, `192.0.2.${n}`, 'vxlan', data));
}

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A reconciler that runs on a fake kernel until the test ends. */
async function start(
  t: ExecutionContext,
  before: readonly KernelObject[] = [],
  refuse?: FakeKernel['refuse'],
) {
  const kernel = new FakeKernel([
    {
      index: uplink.index,
      name: uplink.name,
      mtu: uplink.mtu,
      up: true,
      addresses: [{ address: uplink.address, network: uplink.networks[0]! }],
    },
  ]);
  kernel.meddle.set({ kind: 'sysctl', path: 'net/ipv4/ip_forward', value: '0' });
  for (const object of before) kernel.meddle.set(object);
  if (refuse) kernel.refuse = refuse;
  const lines: LogLine[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => lines.push(JSON.parse(line) as LogLine) });
  const reconciler = new Reconciler({ kernel, owned, log, resyncMs: 60_000, vital: '' });
  const stop = new AbortController();
  reconciler.set('', vxlan.planSelf(view));
  reconciler.set('2', peer(2));
  let ended = Promise.resolve();
  await new Promise<void>((resolve) => {
    ended = reconciler.run(stop.signal, resolve);
  });
  t.teardown(async () => {
    stop.abort();
    await ended;
  });
  return { kernel, reconciler, lines };
}

/** Waits until the fake kernel holds exactly these objects, sysctls aside. */
async function untilHolds(
  t: ExecutionContext,
  kernel: FakeKernel,
  wanted: readonly KernelObject[],
): Promise<void> {
  const text = (objects: Iterable<KernelObject>) =>
    [...objects]
      .filter(({ kind }) => kind !== 'sysctl')
      .map((object) => JSON.stringify(object))
      .sort();
  const deadline = performance.now() + 5000;
  while (performance.now() < deadline) {
    if (String(text(kernel.objects.values())) === String(text(wanted))) break;
    await setImmediate();
  }
  t.deepEqual(text(kernel.objects.values()), text(wanted));
}

const own = vxlan.planSelf(view);

test('the first pass leaves the kernel as desired, and forwarding on, and says so', async (t) => {
  const { kernel, lines } = await start(t);
  await untilHolds(t, kernel, [...own, ...peer(2)]);
  t.true(lines.some(({ setting }) => setting === 'sysctl -w net/ipv4/ip_forward=1'));
  t.like(kernel.objects.get('sysctl net/ipv4/ip_forward'), { value: '1' });
});

test('what the last run left and nobody wants any more is removed', async (t) => {
  const { kernel } = await start(t, [...own, ...peer(2), ...peer(9)]);
  await untilHolds(t, kernel, [...own, ...peer(2)]);
});

test('nothing is asked of a kernel that is as desired', async (t) => {
  const { kernel } = await start(t, [...own, ...peer(2)]);
  t.deepEqual(
    kernel.asked.map((change) => keyOf(change.object)),
    [],
  );
});

test('a peer’s new MAC replaces the old one everywhere', async (t) => {
  const { kernel, reconciler } = await start(t);
  reconciler.set('2', peer(2, 77));
  await untilHolds(t, kernel, [...own, ...peer(2, 77)]);
});

for (const object of [...own, ...peer(2)].filter(({ kind }) => kind !== 'sysctl')) {
  test(`a deleted ${object.kind} is put back, and the log says so once`, async (t) => {
    const { kernel, lines, reconciler } = await start(t);
    kernel.meddle.delete(keyOf(object));
    t.false(kernel.objects.has(keyOf(object)));
    await untilHolds(t, kernel, [...own, ...peer(2)]);
    t.is(lines.filter(({ msg }) => msg.includes('put back')).length, 1);
    t.true(reconciler.status().repaired >= 1);
  });
}

test('a peer that goes as soon as it came is removed at once, also when the kernel tells before it acknowledges', async (t) => {
  const { kernel, reconciler } = await start(t);
  const apply = kernel.apply.bind(kernel);
  kernel.apply = async (...request) => {
    const report = await apply(...request);
    await setImmediate();
    return report;
  };
  reconciler.set('3', peer(3));
  await untilHolds(t, kernel, [...own, ...peer(2), ...peer(3)]);
  const began = performance.now();
  reconciler.set('3', []);
  await untilHolds(t, kernel, [...own, ...peer(2)]);
  // Less than it waits for a word that does not come.
  t.true(performance.now() - began < 900);
});

test('a route of ours that was altered, even to look like somebody else’s, is put right', async (t) => {
  const { kernel } = await start(t);
  const route = peer(2).find((object): object is Route => object.kind === 'route')!;
  kernel.meddle.set({ ...route, gateway: '10.5.9.9', protocol: 3 });
  await untilHolds(t, kernel, [...own, ...peer(2)]);
});

test('what somebody puts where a peer of ours was, after it left, is theirs', async (t) => {
  const { kernel, reconciler } = await start(t);
  const route = peer(2).find((object): object is Route => object.kind === 'route')!;
  reconciler.set('2', []);
  await untilHolds(t, kernel, own);
  const foreign: Route = { ...route, gateway: '192.0.2.200', link: 'eth0', onlink: false, protocol: 4 };
  kernel.meddle.set(foreign);
  reconciler.set('2', peer(2));
  await until(t, 'the clash is seen', () => reconciler.status().clashes.length === 1);
  t.deepEqual(kernel.objects.get(keyOf(route)), foreign);
});

test('changes that the kernel did not tell of are found by the dump that follows', async (t) => {
  const { kernel } = await start(t);
  kernel.meddle.loseEvents(() => {
    for (const object of peer(2)) kernel.meddle.delete(keyOf(object));
  });
  await untilHolds(t, kernel, [...own, ...peer(2)]);
});

test('a foreign route that comes before ours is reported once and left alone', async (t) => {
  const route = peer(2).find((object): object is Route => object.kind === 'route')!;
  const { link: _, ...rest } = route;
  const foreign: Route = {
    ...rest,
    metric: 0,
    protocol: 4,
    gateway: '192.0.2.200',
    link: 'eth0',
    onlink: false,
  };
  const { kernel, lines, reconciler } = await start(t, [foreign]);
  await untilHolds(t, kernel, [...own, ...peer(2), foreign]);
  t.is(reconciler.status().clashes.length, 1);
  t.is(lines.filter(({ msg }) => msg.includes('in the way')).length, 1);
  kernel.meddle.delete(keyOf(foreign));
  const deadline = performance.now() + 5000;
  while (reconciler.status().clashes.length > 0 && performance.now() < deadline) {
    await setImmediate();
  }
  t.deepEqual(reconciler.status().clashes, []);
});

test('a refusal that a fresh look at the kernel explains away is not told', async (t) => {
  const { kernel, reconciler, lines } = await start(t);
  let refusals = 0;
  kernel.refuse = (change) => (change.object.kind === 'fdb' && refusals++ === 0 ? 'ENODEV' : undefined);
  reconciler.set('3', peer(3));
  await untilHolds(t, kernel, [...own, ...peer(2), ...peer(3)]);
  t.deepEqual(
    lines.filter(({ level }) => level >= 40),
    [],
  );
});

test('what the kernel refuses is told once, tried again, and forgotten when it works', async (t) => {
  const { kernel, reconciler, lines } = await start(t);
  let refusals = 0;
  kernel.refuse = (change) => {
    if (change.object.kind !== 'fdb') return undefined;
    refusals += 1;
    return refusals < 3 ? 'ENOBUFS' : undefined;
  };
  reconciler.set('3', peer(3));
  await untilHolds(t, kernel, [...own, ...peer(2), ...peer(3)]);
  t.is(refusals, 3);
  t.is(lines.filter(({ msg }) => msg === 'kernel refused a change').length, 1);
  t.deepEqual(reconciler.status().failing, []);
});

test('a host whose own device the kernel refuses has not converged, one with a refused peer has', async (t) => {
  let refusals = 0;
  const refuseLink: FakeKernel['refuse'] = (change) =>
    change.object.kind === 'link' && refusals++ < 2 ? 'EEXIST' : undefined;
  const { kernel, lines } = await start(t, [], refuseLink);
  t.is(refusals, 3);
  t.true(kernel.objects.has('link flannel.1'));
  t.deepEqual(
    lines.filter(({ msg }) => msg.includes('put back')),
    [],
  );

  const lame = await start(t, [], (change) => (change.object.kind === 'fdb' ? 'ENOBUFS' : undefined));
  t.is(lame.reconciler.status().failing.length, 1);
});

type Step =
  | { readonly kind: 'peer'; readonly n: number; readonly mac: number }
  | { readonly kind: 'forget'; readonly n: number }
  | { readonly kind: 'delete'; readonly n: number }
  | { readonly kind: 'lose'; readonly n: number };

test('whatever happens in whatever order, the kernel ends as one full pass would leave it', async (t) => {
  const n = fc.integer({ min: 2, max: 6 });
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ kind: fc.constant('peer' as const), n, mac: fc.integer({ min: 2, max: 6 }) }),
    fc.record({ kind: fc.constant('forget' as const), n }),
    fc.record({ kind: fc.constant('delete' as const), n: fc.nat(20) }),
    fc.record({ kind: fc.constant('lose' as const), n: fc.nat(20) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 25 }), async (steps) => {
      const { kernel, reconciler } = await start(t);
      const plans = new Map<string, readonly KernelObject[]>([['2', peer(2)]]);
      const nth = (index: number) =>
        [...kernel.objects.keys()].filter((key) => !key.startsWith('sysctl'))[index];
      for (const [{ kind, ...what }, breathe] of steps) {
        const owner = String(what.n);
        if (kind === 'peer') plans.set(owner, peer(what.n, (what as { mac: number }).mac));
        if (kind === 'forget') plans.delete(owner);
        if (kind === 'peer' || kind === 'forget') reconciler.set(owner, plans.get(owner) ?? []);
        const key = nth(what.n);
        if (kind === 'delete' && key) kernel.meddle.delete(key);
        if (kind === 'lose' && key) kernel.meddle.loseEvents(() => kernel.meddle.delete(key));
        if (breathe) await setImmediate();
      }
      await untilHolds(t, kernel, wholePlan(plans));
    }),
    { numRuns: 100 },
  );
});

/** Of two peers that claim one key, the first by name has it. */
function wholePlan(plans: ReadonlyMap<string, readonly KernelObject[]>): KernelObject[] {
  const wanted = new Map<string, KernelObject>(own.map((object) => [keyOf(object), object]));
  for (const owner of [...plans.keys()].sort()) {
    for (const object of plans.get(owner)!) if (!wanted.has(keyOf(object))) wanted.set(keyOf(object), object);
  }
  return [...wanted.values()];
}

test('a setting that cannot be written does not keep the host from being ready', async (t) => {
  const { kernel, reconciler } = await start(t, [], (change) =>
    change.object.kind === 'sysctl' ? 'EROFS' : undefined,
  );
  await untilHolds(t, kernel, [...own, ...peer(2)]);
  t.true(reconciler.status().failing.some((text) => text.includes('EROFS')));
});
