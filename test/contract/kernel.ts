/** What every Kernel does, the fake and the real one. Each test has a host to itself, with an uplink that is up. */
import type { ExecutionContext } from 'ava';
import type { Change, Kernel, KernelEvent, Ownership } from '../../src/kernel/kernel.js';
import type { Link, Neighbour, Route, Sysctl } from '../../src/kernel/objects.js';
import { type Address, type FdbEntry, type KernelObject, keyOf } from '../../src/kernel/objects.js';
import { command, describe } from '../../src/kernel/text.js';
import { waitFor } from '../../src/lab/wait.js';
import { parsePrefix } from '../../src/net/prefix.js';

export interface KernelHost {
  readonly kernel: Kernel;
  /** `eth0`; its only address is 192.168.9.2/24. */
  readonly uplink: string;
  /** Somebody else makes this change. */
  byHand(change: Change): Promise<void>;
  /** Somebody else gives a link another name. */
  rename(from: string, to: string): Promise<void>;
  /** Somebody else takes the uplink down, or up again. */
  setUplink(up: boolean): Promise<void>;
  dispose(): Promise<void>;
}

const DEADLINE_MS = 5000;
const VTEP = '02:00:00:00:00:01';
const PEER_MAC = '02:00:00:00:00:02';

const OWNED: Ownership = {
  links: ['flannel.1', 'flannel0'],
  pools: [parsePrefix('10.5.0.0/16')!],
  uplink: 'eth0',
  sysctls: ['net/ipv4/ip_forward', 'absent/value'],
};

const add = (object: KernelObject): Change => ({ kind: 'add', object });
const remove = (object: KernelObject): Change => ({ kind: 'remove', object });
const replace = (before: KernelObject, object: KernelObject): Change => ({ kind: 'replace', object, before });

function link(uplink: string): Link {
  const vxlan = { vni: 1, port: 8472, local: '192.168.9.2', device: uplink, learning: false, gbp: false };
  return { kind: 'link', name: 'flannel.1', mac: VTEP, mtu: 1450, up: true, type: 'vxlan', vxlan };
}

const address: Address = { kind: 'address', link: 'flannel.1', address: '10.5.1.0/32' };
const neighbour: Neighbour = {
  kind: 'neighbour',
  link: 'flannel.1',
  address: '10.5.2.0',
  mac: PEER_MAC,
  permanent: true,
};
const fdb: FdbEntry = {
  kind: 'fdb',
  link: 'flannel.1',
  mac: PEER_MAC,
  destination: '192.168.9.3',
  permanent: true,
};
const route: Route = {
  kind: 'route',
  destination: '10.5.2.0/24',
  metric: 1005,
  type: 'unicast',
  gateway: '10.5.2.0',
  link: 'flannel.1',
  onlink: true,
  protocol: 76,
};

function hostRoute(uplink: string, more: Partial<Route> = {}): Route {
  return { ...route, gateway: '192.168.9.3', link: uplink, onlink: false, ...more };
}

const tun: Link = { kind: 'link', name: 'flannel0', mac: '', mtu: 1472, up: true, type: 'tun' };

/** The TUN device of the udp backend, and what is on it. */
const tunnel: readonly KernelObject[] = [
  tun,
  { kind: 'address', link: 'flannel0', address: '10.5.1.0/32' },
  {
    kind: 'route',
    destination: '10.5.0.0/16',
    metric: 0,
    type: 'unicast',
    link: 'flannel0',
    onlink: false,
    protocol: 76,
  },
];

/** The vxlan device, and a peer's three objects. */
function overlay(uplink: string): KernelObject[] {
  return [link(uplink), address, neighbour, fdb, route];
}

async function state(kernel: Kernel): Promise<string[]> {
  const objects = await kernel.dump(OWNED, AbortSignal.timeout(DEADLINE_MS));
  return [...objects.values()].filter(({ kind }) => kind !== 'sysctl').map(toLine);
}

function toLine(object: KernelObject): string {
  return `${object.kind} ${describe(object)}`;
}

async function applied(t: ExecutionContext, kernel: Kernel, changes: readonly Change[]): Promise<void> {
  const report = await kernel.apply(changes, AbortSignal.timeout(DEADLINE_MS));
  t.deepEqual(
    report.failures.map(({ error }) => error.message),
    [],
  );
  t.is(report.applied, changes.length);
}

async function refused(t: ExecutionContext, kernel: Kernel, change: Change): Promise<string> {
  const report = await kernel.apply([change], AbortSignal.timeout(DEADLINE_MS));
  t.is(report.applied, 0);
  t.deepEqual(report.failures[0]?.change, change);
  t.true(report.failures[0]?.error.message.includes(describe(change.object)));
  return report.failures[0]?.error.errno ?? 'nothing';
}

/** Follows a kernel's events until one fits. */
class Follower {
  readonly #events: AsyncIterator<readonly KernelEvent[]>;
  readonly #stop: () => void;
  readonly seen: KernelEvent[] = [];

  constructor(kernel: Kernel) {
    const controller = new AbortController();
    this.#stop = () => controller.abort();
    this.#events = kernel.events(OWNED, controller.signal)[Symbol.asyncIterator]();
  }

  /** All events up to the one that fits. */
  async until(fits: (event: KernelEvent) => boolean): Promise<readonly KernelEvent[]> {
    const timer = setTimeout(this.#stop, DEADLINE_MS);
    try {
      for (;;) {
        if (this.seen.some(fits)) return this.seen.splice(0);
        const next = await this.#events.next();
        if (next.done) throw new Error(`not told within ${DEADLINE_MS} ms: ${JSON.stringify(this.seen)}`);
        this.seen.push(...next.value);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<boolean> {
    this.#stop();
    for (;;) {
      const { done } = await this.#events.next();
      if (done) return true;
    }
  }
}

const isSet = (object: KernelObject) => (event: KernelEvent) =>
  event.kind === 'set' && toLine(event.object) === toLine(object);
const isGone = (object: KernelObject) => (event: KernelEvent) =>
  event.kind === 'gone' && event.key === keyOf(object);
const isOverflow = (event: KernelEvent) => event.kind === 'overflow';

/** `declare` is AVA's `test`, `test.serial` or `test.skip`. */
export function kernelContract(
  declare: (title: string, run: (t: ExecutionContext) => Promise<void>) => void,
  name: string,
  makeHost: () => Promise<KernelHost>,
): void {
  const check = (title: string, run: (t: ExecutionContext, host: KernelHost) => Promise<void>) => {
    declare(`${name}: ${title}`, async (t) => {
      const host = await makeHost();
      t.teardown(() => host.dispose());
      await run(t, host);
    });
  };
  stateContract(check);
  refusalContract(check);
  eventContract(check);
  lookupContract(check);
  tunContract(check);
}

type Check = (title: string, run: (t: ExecutionContext, host: KernelHost) => Promise<void>) => void;

function stateContract(check: Check): void {
  check('what was applied is in the dump as it was asked for', async (t, { kernel, uplink }) => {
    await applied(t, kernel, overlay(uplink).map(add));
    t.deepEqual((await state(kernel)).sort(), overlay(uplink).map(toLine).sort());
  });

  check('applied in one go, what is on a link finds the link that was just made', async (t, host) => {
    const { kernel, uplink } = host;
    const again = [...overlay(uplink).map(remove).reverse(), ...overlay(uplink).map(add)];
    await applied(t, kernel, [...overlay(uplink).map(add), ...again]);
    t.is((await state(kernel)).length, 5);
  });

  check('removing what is not there succeeds, in any order', async (t, { kernel, uplink }) => {
    await applied(t, kernel, overlay(uplink).map(remove));
    await applied(t, kernel, [add(link(uplink)), ...overlay(uplink).map(remove)]);
    t.deepEqual(await state(kernel), []);
  });

  check('a route is replaced in place', async (t, { kernel, uplink }) => {
    const [before, after] = [hostRoute(uplink), hostRoute(uplink, { gateway: '192.168.9.4' })];
    await applied(t, kernel, [add(before), replace(before, after)]);
    t.deepEqual(await state(kernel), [toLine(after)]);
  });

  check("a route that became somebody else's is not removed", async (t, { kernel, uplink, byHand }) => {
    const [ours, theirs] = [hostRoute(uplink), hostRoute(uplink, { protocol: 4 })];
    await applied(t, kernel, [add(ours)]);
    await byHand(replace(ours, theirs));
    await applied(t, kernel, [remove(ours)]);
    t.deepEqual(await state(kernel), [toLine(theirs)]);
  });

  check('a blackhole is made and removed', async (t, { kernel }) => {
    const { gateway: _, link: __, ...rest } = route;
    const blackhole: Route = { ...rest, type: 'blackhole', onlink: false };
    await applied(t, kernel, [add(blackhole)]);
    t.deepEqual(await state(kernel), [toLine(blackhole)]);
    await applied(t, kernel, [remove(blackhole)]);
    t.deepEqual(await state(kernel), []);
  });

  check('neighbours and entries are set whether or not they are there', async (t, { kernel, uplink }) => {
    const moved = [
      { ...neighbour, mac: VTEP },
      { ...fdb, destination: '192.168.9.4' },
    ];
    await applied(t, kernel, overlay(uplink).map(add));
    await applied(t, kernel, [...moved.map(add), add(address)]);
    const expected = [link(uplink), address, ...moved, route];
    t.deepEqual((await state(kernel)).sort(), expected.map(toLine).sort());
  });

  check('a link is changed in place, and its routes stay', async (t, { kernel, uplink }) => {
    const before = link(uplink);
    const vxlan = { ...before.vxlan!, learning: true, local: '192.168.9.7' };
    const after: Link = { ...before, mac: '02:00:00:00:00:07', mtu: 1400, vxlan };
    await applied(t, kernel, [...overlay(uplink).map(add), replace(before, after)]);
    const lines = await state(kernel);
    t.true(lines.includes(toLine(after)));
    t.true(lines.includes(toLine(route)));
  });

  check('a sysctl is set; one that does not exist is no failure and not in the dump', async (t, host) => {
    const forward: Sysctl = { kind: 'sysctl', path: 'net/ipv4/ip_forward', value: '1' };
    const absent: Sysctl = { kind: 'sysctl', path: 'absent/value', value: '1' };
    await applied(t, host.kernel, [add(forward), add(absent)]);
    const objects = await host.kernel.dump(OWNED, AbortSignal.timeout(DEADLINE_MS));
    t.deepEqual(objects.get(keyOf(forward)), forward);
    t.false(objects.has(keyOf(absent)));
  });

  check('routes outside the pool are not told of', async (t, { kernel, uplink, byHand }) => {
    await byHand(add(hostRoute(uplink, { destination: '10.6.2.0/24' })));
    await byHand(add(hostRoute(uplink, { destination: '10.5.3.0/24', protocol: 3, metric: 0 })));
    t.deepEqual(await state(kernel), [`route 10.5.3.0/24 via 192.168.9.3 dev ${uplink} proto boot`]);
  });
}

function refusalContract(check: Check): void {
  check('a link that is there cannot be added', async (t, { kernel, uplink }) => {
    await applied(t, kernel, [add(link(uplink))]);
    t.is(await refused(t, kernel, add(link(uplink))), 'EEXIST');
  });

  check('a vxlan with the VNI and port of another cannot be added', async (t, { kernel, uplink }) => {
    await applied(t, kernel, [add(link(uplink))]);
    t.is(await refused(t, kernel, add({ ...link(uplink), name: 'flannel.2' })), 'EEXIST');
  });

  check('a vxlan of ours that was renamed gives way to a new one, others do not', async (t, host) => {
    const { kernel, uplink, rename, byHand } = host;
    await applied(t, kernel, overlay(uplink).map(add));
    const follower = new Follower(kernel);
    t.is((await state(kernel)).length, 5);
    await rename('flannel.1', 'mine');
    await follower.until((event) => event.kind === 'gone' && event.key === 'link flannel.1');
    await applied(
      t,
      kernel,
      overlay(uplink)
        .filter(({ kind }) => kind !== 'route')
        .map(add),
    );
    t.false((await kernel.interfaces(AbortSignal.timeout(DEADLINE_MS))).some(({ name }) => name === 'mine'));
    await follower.end();

    await byHand(remove(link(uplink)));
    await byHand(add({ ...link(uplink), name: 'theirs' }));
    t.is(await refused(t, kernel, add(link(uplink))), 'EEXIST');
  });

  check('a vxlan over a device that is not there cannot be added', async (t, { kernel }) => {
    t.is(await refused(t, kernel, add(link('nosuch0'))), 'ENODEV');
  });

  check('a vxlan cannot get another VNI', async (t, { kernel, uplink }) => {
    const before = link(uplink);
    await applied(t, kernel, [add(before)]);
    const after = { ...before, vxlan: { ...before.vxlan!, vni: 2 } };
    t.is(await refused(t, kernel, replace(before, after)), 'EOPNOTSUPP');
  });

  check('a route that is there cannot be added', async (t, { kernel, uplink }) => {
    await applied(t, kernel, [add(hostRoute(uplink))]);
    t.is(await refused(t, kernel, add(hostRoute(uplink))), 'EEXIST');
  });

  check('a route by a link that is not there cannot be added', async (t, { kernel }) => {
    t.is(await refused(t, kernel, add(route)), 'ENODEV');
  });

  check('a route by a link that is down cannot be added', async (t, { kernel, uplink }) => {
    await applied(t, kernel, [add({ ...link(uplink), up: false })]);
    t.is(await refused(t, kernel, add(route)), 'ENETDOWN');
  });

  check('a gateway that is not on-link is refused', async (t, { kernel, uplink }) => {
    t.is(await refused(t, kernel, add(hostRoute(uplink, { gateway: '172.16.0.1' }))), 'ENETUNREACH');
  });

  check('after a failure the rest is applied', async (t, { kernel, uplink }) => {
    const changes = [add(hostRoute(uplink, { gateway: '172.16.0.1' })), ...overlay(uplink).map(add)];
    const report = await kernel.apply(changes, AbortSignal.timeout(DEADLINE_MS));
    t.is(report.applied, 5);
    t.deepEqual(
      report.failures.map(({ change }) => change),
      [changes[0]!],
    );
  });
}

function eventContract(check: Check): void {
  check('every change of ours is told of', async (t, { kernel, uplink }) => {
    const follower = new Follower(kernel);
    await state(kernel);
    await applied(t, kernel, overlay(uplink).map(add));
    for (const object of overlay(uplink)) {
      follower.seen.unshift(...(await follower.until(isSet(object))));
    }
    await applied(t, kernel, [route, fdb, neighbour].map(remove));
    for (const object of [route, fdb, neighbour]) {
      follower.seen.unshift(...(await follower.until(isGone(object))));
    }
    t.false(follower.seen.some(isOverflow));
    t.true(await follower.end());
  });

  check('what somebody else changes is told of', async (t, { kernel, uplink, byHand }) => {
    await applied(t, kernel, overlay(uplink).map(add));
    const follower = new Follower(kernel);
    await state(kernel);
    const changed = { ...link(uplink), mtu: 1400 };
    await byHand(replace(link(uplink), changed));
    await follower.until(isSet(changed));
    await byHand(remove(fdb));
    await follower.until(isGone(fdb));
    const theirs = hostRoute(uplink, { metric: 1005, protocol: 4 });
    await byHand(replace(route, theirs));
    await follower.until(isSet(theirs));
    t.true(await follower.end());
  });

  check('a link that goes away takes all along, and says "look again"', async (t, host) => {
    const { kernel, uplink, byHand } = host;
    await applied(t, kernel, overlay(uplink).map(add));
    const follower = new Follower(kernel);
    await state(kernel);
    await byHand(remove(link(uplink)));
    await follower.until((event) => event.kind === 'overflow' && event.reason.includes('removed'));
    t.deepEqual(await state(kernel), []);
    await follower.end();
  });

  check('a link that goes down loses its routes, and says "look again"', async (t, host) => {
    const { kernel, uplink, byHand } = host;
    await applied(t, kernel, overlay(uplink).map(add));
    const follower = new Follower(kernel);
    await state(kernel);
    const down = { ...link(uplink), up: false };
    await byHand(replace(link(uplink), down));
    await follower.until(isOverflow);
    t.deepEqual((await state(kernel)).sort(), [down, address, fdb].map(toLine).sort());
    await follower.end();
  });

  check('an uplink that goes down, or comes up, says "look again"', async (t, host) => {
    const { kernel, uplink, setUplink } = host;
    const follower = new Follower(kernel);
    await applied(t, kernel, [add(hostRoute(uplink))]);
    await setUplink(false);
    await follower.until(isOverflow);
    t.deepEqual(await state(kernel), []);
    t.is(await refused(t, kernel, add(hostRoute(uplink))), 'ENETUNREACH');
    await setUplink(true);
    await follower.until((event) => event.kind === 'overflow' && event.reason.includes('came up'));
    await applied(t, kernel, [add(hostRoute(uplink))]);
    await follower.end();
  });

  check('a new MAC of a link drops its neighbours', async (t, { kernel, uplink, byHand }) => {
    await applied(t, kernel, overlay(uplink).map(add));
    const follower = new Follower(kernel);
    await state(kernel);
    await byHand(replace(link(uplink), { ...link(uplink), mac: '02:00:00:00:00:09' }));
    await follower.until(isGone(neighbour));
    t.false((await state(kernel)).includes(toLine(neighbour)));
    await follower.end();
  });

  check('a change of the host is told to those who asked, and a route of ours is none', async (t, host) => {
    const { kernel, uplink, byHand, setUplink } = host;
    const watch = new AbortController();
    let told = 0;
    kernel.onHostChange(() => told++, watch.signal);
    await state(kernel);
    const isTold = async (what: string, change: () => Promise<unknown>) => {
      told = 0;
      await change();
      await waitFor(what, () => told > 0, { deadlineMs: DEADLINE_MS });
    };
    const follower = new Follower(kernel);
    await applied(t, kernel, [add(hostRoute(uplink))]);
    await follower.until(isSet(hostRoute(uplink)));
    t.is(told, 0);
    const theirs = hostRoute(uplink, { destination: '10.6.2.0/24', protocol: 4 });
    await isTold('a foreign route', () => byHand(add(theirs)));
    await isTold('its removal', () => byHand(remove(theirs)));
    const second: Address = { kind: 'address', link: uplink, address: '192.168.10.2/24' };
    await isTold('an address', () => byHand(add(second)));
    await isTold('the uplink down', () => setUplink(false));
    await isTold('the uplink up', () => setUplink(true));
    await follower.end();
    watch.abort();
  });

  check('events end when their signal is aborted', async (t, { kernel }) => {
    t.true(await new Follower(kernel).end());
  });
}

function lookupContract(check: Check): void {
  const soon = () => AbortSignal.timeout(DEADLINE_MS);

  check('interfaces have their addresses and networks', async (t, { kernel, uplink }) => {
    const found = (await kernel.interfaces(soon())).find(({ name }) => name === uplink);
    t.true(found?.up);
    t.is(found?.mtu, 1500);
    t.deepEqual(found?.addresses, [{ address: '192.168.9.2', network: parsePrefix('192.168.9.0/24')! }]);
  });

  check('the way to a neighbour, to oneself, through a gateway and to nowhere', async (t, host) => {
    const { kernel, uplink } = host;
    await applied(t, kernel, [add(hostRoute(uplink))]);
    const source = '192.168.9.2';
    t.deepEqual(await kernel.routeTo('192.168.9.3', soon()), { link: uplink, source, local: false });
    t.is((await kernel.routeTo(source, soon()))?.local, true);
    t.is((await kernel.routeTo('10.5.2.9', soon()))?.gateway, '192.168.9.3');
    t.is(await kernel.routeTo('172.16.0.1', soon()), undefined);
  });

  check('routes are listed whoever made them', async (t, { kernel, uplink, byHand }) => {
    await byHand(add(hostRoute(uplink, { destination: '10.6.2.0/24', protocol: 4 })));
    const found = (await kernel.routes(soon())).find(({ text }) => text.startsWith('10.6.2.0/24'));
    t.deepEqual(found?.destination, parsePrefix('10.6.2.0/24')!);
    t.is(found?.link, uplink);
    t.is(found?.gateway, '192.168.9.3');
  });
}

function tunContract(check: Check): void {
  check('a tun with its address and route is in the dump as it was asked for', async (t, { kernel }) => {
    await applied(t, kernel, tunnel.map(add));
    t.deepEqual((await state(kernel)).sort(), tunnel.map(toLine).sort());
    await applied(t, kernel, [remove(tun), ...tunnel.map(remove)]);
    t.deepEqual(await state(kernel), []);
  });

  check('a link that is there, tun or not, cannot be added as a tun', async (t, { kernel, byHand }) => {
    await applied(t, kernel, [add(tun)]);
    t.is(await refused(t, kernel, add(tun)), 'EEXIST');
    await applied(t, kernel, [remove(tun)]);
    await byHand(add({ ...tun, mac: '02:00:00:00:00:05', type: 'bridge' }));
    t.is(await refused(t, kernel, add(tun)), 'EEXIST');
  });

  check('a tun is changed in place, and its route stays', async (t, { kernel, byHand }) => {
    await applied(t, kernel, tunnel.map(add));
    const altered = { ...tun, mtu: 1400 };
    await byHand(replace(tun, altered));
    t.true((await state(kernel)).includes(toLine(altered)));
    await applied(t, kernel, [replace(altered, tun)]);
    t.deepEqual((await state(kernel)).sort(), tunnel.map(toLine).sort());
  });

  check('a tun that was taken down is brought up in place', async (t, { kernel, byHand }) => {
    await applied(t, kernel, tunnel.map(add));
    const down = { ...tun, up: false };
    await byHand(replace(tun, down));
    await applied(t, kernel, [replace(down, tun), ...tunnel.slice(2).map(add)]);
    t.deepEqual((await state(kernel)).sort(), tunnel.map(toLine).sort());
  });

  check('a new tun is told of as it was asked for, and not before', async (t, { kernel }) => {
    const follower = new Follower(kernel);
    await state(kernel);
    await applied(t, kernel, tunnel.map(add));
    const events = await follower.until(isSet(tunnel[2]!));
    const told = events.flatMap((event) => (event.kind === 'set' ? [event.object] : []));
    t.deepEqual([...new Set(told.map(toLine))], tunnel.map(toLine));
    t.true(await follower.end());
  });

  check('a tun that goes away takes all along, and says "look again"', async (t, { kernel, byHand }) => {
    await applied(t, kernel, tunnel.map(add));
    const follower = new Follower(kernel);
    await state(kernel);
    await byHand(remove(tun));
    await follower.until((event) => event.kind === 'overflow' && event.reason.includes('removed'));
    t.deepEqual(await state(kernel), []);
    await applied(t, kernel, tunnel.map(add));
    await follower.until(isSet(tun));
    await follower.end();
  });

  check('a tun of ours that was renamed gives way to a new one', async (t, { kernel, rename }) => {
    await applied(t, kernel, tunnel.map(add));
    const follower = new Follower(kernel);
    await state(kernel);
    await rename('flannel0', 'mine');
    await follower.until((event) => event.kind === 'gone' && event.key === 'link flannel0');
    await applied(t, kernel, [add(tun)]);
    t.false((await kernel.interfaces(AbortSignal.timeout(DEADLINE_MS))).some(({ name }) => name === 'mine'));
    await follower.end();
  });
}

/** For hosts whose hand is a shell. */
export function byShell(shell: (text: string) => Promise<unknown>): KernelHost['byHand'] {
  return async (change) => {
    await shell(command(change));
  };
}
