/**
 * A kernel in memory, for tests that are about what is asked of it. It refuses what the real one refuses
 * (`kernel-refusals`), and tells of changes as the real one does; both pass `test/contract/kernel`.
 */
import { KernelError } from '../../src/errors.js';
import type {
  ApplyFailure,
  ApplyReport,
  Change,
  HostRoute,
  Interface,
  Kernel,
  KernelEvent,
  KernelState,
  Ownership,
  RouteLookup,
} from '../../src/kernel/kernel.js';
import { type KernelObject, keyOf, type Link, ROUTE_PROTOCOL, type Route } from '../../src/kernel/objects.js';
import { describe } from '../../src/kernel/text.js';
import { parseIpv4 } from '../../src/net/ipv4.js';
import { contains, parsePrefix } from '../../src/net/prefix.js';
import { EventStream, isTold } from './event-stream.js';
import { onLinkNetworks, refusal } from './kernel-refusals.js';

export class FakeKernel implements Kernel {
  /** All there is, ours and foreign, keyed by `keyOf`. Change it by `apply` or `meddle`. */
  readonly objects = new Map<string, KernelObject>();
  /** Interfaces that are there from the start, such as the uplink. */
  readonly uplinks: Interface[];
  /** Every change that was asked for, in order. */
  readonly asked: Change[] = [];
  /** Called before each change; an errno that it returns is the kernel's refusal. */
  refuse: (change: Change) => string | undefined = () => undefined;
  /** Links that were renamed, by the name that they were made with. */
  readonly #renamed = new Map<string, string>();
  readonly #streams = new Set<EventStream>();
  readonly #watchers = new Set<() => void>();

  constructor(uplinks: readonly Interface[] = []) {
    this.uplinks = [...uplinks];
  }

  /** What somebody else does to this host. */
  readonly meddle = {
    set: (object: KernelObject): void => this.#set(object),
    delete: (key: string): void => this.#delete(key),
    rename: (from: string, to: string): void => this.#rename(from, to),
    setUplink: (name: string, up: boolean): void => this.#setUplink(name, up),
    /** The interfaces of this host that are not ours are these from now on. */
    setInterfaces: (interfaces: readonly Interface[]): void => {
      this.uplinks.splice(0, Number.POSITIVE_INFINITY, ...interfaces);
      this.#tellWatchers();
    },
    /** The kernel drops notifications: what happens inside `unseen` is not told. */
    loseEvents: (unseen: () => void): void => {
      for (const stream of this.#streams) stream.deaf = true;
      unseen();
      for (const stream of this.#streams) {
        stream.deaf = false;
        stream.tell({ kind: 'overflow', reason: 'the kernel dropped notifications' });
      }
    },
  };

  async dump(owned: Ownership, signal: AbortSignal): Promise<KernelState> {
    signal.throwIfAborted();
    return new Map([...this.objects].filter(([, object]) => isTold(object, owned)));
  }

  events(owned: Ownership, signal: AbortSignal): AsyncIterable<readonly KernelEvent[]> {
    const stream = new EventStream(owned);
    this.#streams.add(stream);
    const end = () => {
      this.#streams.delete(stream);
      stream.end();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    return stream;
  }

  onHostChange(changed: () => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#watchers.add(changed);
    signal.addEventListener('abort', () => this.#watchers.delete(changed), { once: true });
  }

  async apply(changes: readonly Change[], signal: AbortSignal): Promise<ApplyReport> {
    const failures: ApplyFailure[] = [];
    for (const change of changes) {
      signal.throwIfAborted();
      this.asked.push(change);
      this.#makeWay(change);
      const errno = this.refuse(change) ?? refusal(change, this);
      if (errno === undefined) this.#carryOut(change);
      else failures.push({ change, error: refusalError(change, errno) });
    }
    return { applied: changes.length - failures.length, failures };
  }

  async interfaces(): Promise<readonly Interface[]> {
    const made = [...this.objects.values()].filter((object) => object.kind === 'link');
    return [...this.uplinks, ...made.map((link, i) => this.#toInterface(link, i))];
  }

  async routes(): Promise<HostRoute[]> {
    return [...this.objects.values()]
      .filter((object) => object.kind === 'route')
      .map((route) => ({
        destination: parsePrefix(route.destination)!,
        link: route.link,
        gateway: route.gateway,
        text: describe(route),
      }));
  }

  async routeTo(address: string): Promise<RouteLookup | undefined> {
    const to = parseIpv4(address);
    if (to === undefined) return undefined;
    const own = this.uplinks.find(({ addresses }) => addresses.some((known) => known.address === address));
    if (own) return { link: 'lo', source: address, local: true };
    for (const { link, network, source } of onLinkNetworks(this)) {
      if (contains(network, to)) return { link, source, local: false };
    }
    return this.#routeThrough(to);
  }

  close(): void {
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }

  #routeThrough(to: number): RouteLookup | undefined {
    const fitting = [...this.objects.values()]
      .filter((object) => object.kind === 'route')
      .filter((route) => contains(parsePrefix(route.destination)!, to))
      .sort((a, b) => prefixLength(b) - prefixLength(a) || a.metric - b.metric);
    const [best] = fitting;
    if (best?.link === undefined) return undefined;
    const { link, gateway } = best;
    return { link, ...(gateway === undefined ? {} : { gateway }), local: false };
  }

  #carryOut(change: Change): void {
    const { object } = change;
    if (change.kind !== 'remove') this.#set(object);
    else if (this.#matches(object)) this.#delete(keyOf(object));
  }

  /** A route or an entry is removed only if it is still the one that was meant. */
  #matches(object: KernelObject): boolean {
    const found = this.objects.get(keyOf(object));
    if (object.kind === 'sysctl' || !found) return false;
    if (object.kind === 'fdb') return found.kind === 'fdb' && found.destination === object.destination;
    if (object.kind !== 'route') return true;
    return found.kind === 'route' && describe(found) === describe(object);
  }

  /** A link brings its own values along. */
  #hasSysctl(path: string): boolean {
    const link = /^net\/ipv[46]\/conf\/([^/]+)\//.exec(path)?.[1];
    return !path.startsWith('absent/') && (link === undefined || this.objects.has(`link ${link}`));
  }

  #set(object: KernelObject): void {
    const key = keyOf(object);
    const before = this.objects.get(key);
    if (object.kind === 'sysctl' && !before && !this.#hasSysctl(object.path)) return;
    this.objects.set(key, object);
    this.#tell({ kind: 'set', object }, object);
    if (object.kind !== 'link' || before?.kind !== 'link') return;
    if (before.mac !== object.mac) this.#deleteOn(object.name, ['neighbour']);
    if (before.up && !object.up) this.#goDown(object);
  }

  #delete(key: string): void {
    const object = this.objects.get(key);
    if (!object) return;
    if (object.kind === 'link') {
      this.#deleteOn(object.name, ['address', 'neighbour', 'fdb']);
      this.#goDown(object);
    }
    this.objects.delete(key);
    this.#tell({ kind: 'gone', key }, object);
    if (object.kind === 'address') this.#overflow(`link ${object.link} lost an address`, object);
    if (object.kind === 'link') this.#overflow(`link ${object.name} was removed`, object);
  }

  #goDown(link: Link): void {
    this.#deleteOn(link.name, ['neighbour']);
    this.#dropRoutes(link.name);
    this.#overflow(`link ${link.name} went down`, link);
  }

  /** Routes vanish with their link, and nobody is told. */
  #dropRoutes(link: string): void {
    for (const [key, object] of this.objects) {
      if (object.kind === 'route' && object.link === link) this.objects.delete(key);
    }
  }

  #setUplink(name: string, up: boolean): void {
    const at = this.uplinks.findIndex((uplink) => uplink.name === name);
    this.uplinks[at] = { ...this.uplinks[at]!, up };
    if (!up) this.#dropRoutes(name);
    const reason = `link ${name} ${up ? 'came up' : 'went down'}`;
    for (const stream of this.#streams) if (stream.uplink === name) stream.tell({ kind: 'overflow', reason });
    this.#tellWatchers();
  }

  /** Its index, and so all that is on it, stays. */
  #rename(from: string, to: string): void {
    for (const [key, object] of [...this.objects]) {
      const renamed =
        object.kind === 'link' && object.name === from
          ? { ...object, name: to }
          : 'link' in object && object.link === from && { ...object, link: to };
      if (!renamed) continue;
      this.objects.delete(key);
      this.objects.set(keyOf(renamed), renamed);
      if (object.kind === 'link') this.#tell({ kind: 'gone', key }, object);
      if (object.kind === 'link') this.#overflow(`link ${from} was renamed to ${to}`, object);
    }
    this.#renamed.set(from, to);
  }

  #makeWay({ kind, object }: Change): void {
    const renamed = object.kind === 'link' ? this.#renamed.get(object.name) : undefined;
    if (kind !== 'add' || object.kind !== 'link' || renamed === undefined) return;
    this.#delete(`link ${renamed}`);
    this.#renamed.delete(object.name);
  }

  #deleteOn(link: string, kinds: readonly KernelObject['kind'][]): void {
    for (const [key, object] of [...this.objects]) {
      if ('link' in object && object.link === link && kinds.includes(object.kind)) this.#delete(key);
    }
  }

  #tell(event: KernelEvent, about: KernelObject): void {
    for (const stream of this.#streams) stream.tellAbout(event, about);
    if (about.kind === 'link' || about.kind === 'address') this.#tellWatchers();
    if (about.kind === 'route' && about.protocol !== ROUTE_PROTOCOL) this.#tellWatchers();
  }

  #tellWatchers(): void {
    for (const changed of this.#watchers) changed();
  }

  #overflow(reason: string, about: KernelObject): void {
    this.#tell({ kind: 'overflow', reason }, about);
  }

  #toInterface(link: Link, i: number): Interface {
    const addresses = [...this.objects.values()]
      .filter((object) => object.kind === 'address' && object.link === link.name)
      .map((object) => (object.kind === 'address' ? object.address : ''))
      .map((text) => ({ address: text.split('/')[0]!, network: parsePrefix(text)! }));
    return { index: 100 + i, name: link.name, mtu: link.mtu, up: link.up, addresses };
  }
}

function prefixLength(route: Route): number {
  return parsePrefix(route.destination)!.length;
}

function refusalError(change: Change, errno: string): KernelError {
  const { kind, object } = change;
  const verb = kind === 'replace' ? 'change' : kind;
  return new KernelError(errno, `cannot ${verb} ${object.kind} ${describe(object)}: ${errno}`);
}
