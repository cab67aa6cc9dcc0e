/**
 * How long a lease takes from etcd into the kernel, in one process that sees both ends: it puts a peer's lease, hears
 * the kernel tell of the route, and hears etcd tell of the key, as any client that watches would.
 */
import { Etcd3 } from 'etcd3';
import { MessageReader } from '../../src/kernel/netlink/message.js';
import { RTM_NEWROUTE, readRoute } from '../../src/kernel/netlink/route.js';
import { loadNative, type NativeHandle } from '../../src/native.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { monotonicMs } from '../clock.js';
import { answer } from './answer.js';

export interface FollowLeaseInput {
  readonly endpoint: string;
  /** What all their keys begin with. */
  readonly folder: string;
  /** Each is put and awaited, one after the other; at the end all go. */
  readonly leases: readonly { readonly key: string; readonly value: string; readonly subnet: string }[];
}

/** In milliseconds, from the moment at which the put was sent. */
export interface Followed {
  readonly untilRoute: number;
  readonly untilWatched: number;
}

/** RTMGRP_IPV4_ROUTE */
const GROUP = 0x40;
const NETLINK_ROUTE = 0;
const DEADLINE_MS = 10_000;

/** Things that are waited for, by name. */
class Arrivals {
  readonly #awaited = new Map<string, (atMs: number) => void>();

  /** `monotonicMs` of its arrival. */
  next(name: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${name}: not seen`)), DEADLINE_MS);
      this.#awaited.set(name, (atMs) => {
        clearTimeout(timer);
        resolve(atMs);
      });
    });
  }

  seen(name: string): void {
    this.#awaited.get(name)?.(monotonicMs());
    this.#awaited.delete(name);
  }
}

function listenToRoutes(arrivals: Arrivals): NativeHandle {
  return loadNative().netlinkListen(NETLINK_ROUTE, GROUP, (messages) => {
    if (!messages) return; // then what is waited for is not seen in time
    const message = new MessageReader(messages);
    while (message.next()) {
      if (message.type !== RTM_NEWROUTE) continue;
      const route = readRoute(messages, message.start, message.end);
      if (!route) continue;
      arrivals.seen(`route to ${formatPrefix({ address: route.destination, length: route.length })}`);
    }
  });
}

async function followLeases({ endpoint, folder, leases }: FollowLeaseInput): Promise<Followed[]> {
  const etcd = new Etcd3({ hosts: endpoint });
  const arrivals = new Arrivals();
  const native = loadNative();
  const listener = listenToRoutes(arrivals);
  const watcher = await etcd.watch().prefix(folder).create();
  watcher.on('put', ({ key }) => arrivals.seen(key.toString()));
  const { ID: lease } = await etcd.leaseClient.leaseGrant({ TTL: 3600 });

  const followed: Followed[] = [];
  for (const { key, value, subnet } of leases) {
    const both = Promise.all([arrivals.next(`route to ${subnet}`), arrivals.next(key)]);
    const began = monotonicMs();
    await etcd.kv.put({ key: Buffer.from(key), value: Buffer.from(value), lease });
    const [route, watched] = await both;
    followed.push({ untilRoute: route - began, untilWatched: watched - began });
  }
  await etcd.leaseClient.leaseRevoke({ ID: lease });
  native.netlinkStopListening(listener);
  await watcher.cancel();
  etcd.close();
  return followed;
}

answer(followLeases);
