/**
 * The addresses that this host needs where they are, and so no peer's lease may take: its own, its default gateways,
 * its DNS servers, its etcd servers. Only those inside the pool matter, as leases outside it are refused anyway; mostly
 * that is none.
 */
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { KernelError } from '../../errors.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { GuardedAddress } from '../../lease/judge.js';
import { parseIpv4 } from '../../net/ipv4.js';
import { contains, type Prefix } from '../../net/prefix.js';
import { Bell } from '../bell.js';

/** The second one has what is behind systemd's 127.0.0.53. */
const RESOLVER_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];
/** A name that has not been found by then is looked up at the next look. */
const LOOKUP_MS = 1_000;
/** Docker changes many things in a row. */
const LOOK_EVERY_MS = 1_000;

export interface GuardInput {
  readonly kernel: Pick<Kernel, 'interfaces' | 'routes' | 'onHostChange'>;
  readonly pool: Prefix;
  /** Our own devices come and go by our own plan. */
  readonly ownLinks: readonly string[];
  /** As the flag has them: a comma list of URLs. */
  readonly etcdEndpoints: string;
  readonly resolverFiles?: readonly string[];
  /** IPv4 addresses of a name; rejects when there are none. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

export class Guard {
  readonly #input: GuardInput;
  /** What each name was found to be last. */
  readonly #found = new Map<string, readonly string[]>();

  constructor(input: GuardInput) {
    this.#input = input;
  }

  /** Inside the pool, in the order of their addresses. Takes a second at most. */
  async look(signal: AbortSignal): Promise<readonly GuardedAddress[]> {
    const { kernel, pool, ownLinks } = this.#input;
    const [interfaces, routes, dns, etcd] = await Promise.all([
      kernel.interfaces(signal),
      kernel.routes(signal),
      this.#nameservers(),
      this.#etcdServers(),
    ]);
    const own = interfaces
      .filter(({ name }) => !ownLinks.includes(name))
      .flatMap(({ name, addresses }) =>
        addresses.map(({ address }) => [address, `this host's own on ${name}`] as const),
      );
    const gateways = routes.flatMap(({ destination, gateway }) =>
      destination.length === 0 && gateway ? [[gateway, 'the default gateway'] as const] : [],
    );
    return [...own, ...gateways, ...dns, ...etcd]
      .map(([text, what]) => ({ address: parseIpv4(text), text: `${text}, ${what}` }))
      .filter(
        (found): found is GuardedAddress => found.address !== undefined && contains(pool, found.address),
      )
      .sort((a, b) => a.address - b.address);
  }

  /** Calls back with the addresses each time that they are others than `known`, until the signal. */
  async watch(
    known: readonly GuardedAddress[],
    changed: (addresses: readonly GuardedAddress[]) => void,
    resyncMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const bell = new Bell();
    let notified = false;
    this.#input.kernel.onHostChange(() => {
      notified = true;
      bell.ring();
    }, signal);
    for (let last = known; !signal.aborted; ) {
      if (!notified) await bell.wait(resyncMs, signal);
      await new Bell().wait(LOOK_EVERY_MS, signal);
      notified = false;
      const now = signal.aborted ? last : await this.#lookAgain(last, signal);
      if (isDeepStrictEqual(now, last)) continue;
      last = now;
      changed(now);
    }
  }

  async #lookAgain(last: readonly GuardedAddress[], signal: AbortSignal): Promise<readonly GuardedAddress[]> {
    try {
      return await this.look(signal);
    } catch (error) {
      if (signal.aborted || error instanceof KernelError) return last;
      throw error;
    }
  }

  async #nameservers(): Promise<(readonly [string, string])[]> {
    const { resolverFiles = RESOLVER_FILES } = this.#input;
    const texts = await Promise.all(resolverFiles.map((path) => readFile(path, 'utf8').catch(() => '')));
    return texts.flatMap((text) =>
      [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(
        (match) => [match[1]!, 'a DNS server'] as const,
      ),
    );
  }

  async #etcdServers(): Promise<(readonly [string, string])[]> {
    const servers = await Promise.all(
      hostsOf(this.#input.etcdEndpoints).map(async (host) => {
        const addresses = parseIpv4(host) === undefined ? await this.#resolved(host) : [host];
        return addresses.map((address) => [address, 'an etcd server'] as const);
      }),
    );
    return servers.flat();
  }

  async #resolved(name: string): Promise<readonly string[]> {
    const { resolve = lookUp } = this.#input;
    const late = new AbortController();
    const found = await Promise.race([
      resolve(name).catch(() => undefined),
      delay(LOOKUP_MS, undefined, late).catch(() => undefined),
    ]);
    late.abort();
    if (found) this.#found.set(name, [...found].sort());
    return this.#found.get(name) ?? [];
  }
}

async function lookUp(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, family: 4 });
  return found.map(({ address }) => address);
}

function hostsOf(endpoints: string): string[] {
  return endpoints.split(',').flatMap((endpoint) => {
    const url = URL.canParse(endpoint.trim()) ? new URL(endpoint.trim()) : undefined;
    return url?.hostname ? [url.hostname] : [];
  });
}
