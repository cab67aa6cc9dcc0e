/**
 * How long a lease takes from etcd into the kernel, in one process that does both ends: it puts a peer's lease and
 * hears the kernel tell of the route. In turn with that it puts another key and hears etcd tell of it, as any client
 * would: what a follower of etcd cannot be faster than.
 */
import { Etcd3 } from 'etcd3';
import { MessageReader } from '../../src/kernel/netlink/message.js';
import { RTM_DELROUTE, RTM_NEWROUTE, readRoute } from '../../src/kernel/netlink/route.js';
import { loadNative, type NativeHandle } from '../../src/native.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { monotonicMs } from '../clock.js';
import { answer } from './answer.js';

export interface FollowLeaseInput {
  readonly endpoint: string;
  /** Each is put, awaited, deleted and awaited again. */
  readonly leases: readonly { readonly key: string; readonly value: string; readonly subnet: string }[];
  /** For the other key: where no daemon looks. */
  readonly folder: string;
}

/** In milliseconds, from the moment at which the put is sent. */
export interface FollowLeaseOutput {
  readonly untilRoute: readonly number[];
  readonly untilWatched: readonly number[];
}

/** RTMGRP_IPV4_ROUTE */
const GROUP = 0x40;
const DEADLINE_MS = 10_000;

/** Things that are waited for by name, one at a time. */
class Arrivals {
  #name = '';
  #arrived: (atMs: number) => void = () => undefined;

  /** `monotonicMs` of its arrival. */
  next(name: string): Promise<number> {
    this.#name = name;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${name}: not seen`)), DEADLINE_MS);
      this.#arrived = (atMs) => {
        clearTimeout(timer);
        resolve(atMs);
      };
    });
  }

  seen(name: string): void {
    if (name === this.#name) this.#arrived(monotonicMs());
  }
}

function listenToRoutes(arrivals: Arrivals): NativeHandle {
  return loadNative().netlinkListen(GROUP, (messages) => {
    if (!messages) return; // then what is waited for is not seen in time
    const message = new MessageReader(messages);
    while (message.next()) {
      const route = readRoute(messages, message.start, message.end);
      if (!route) continue;
      const subnet = formatPrefix({ address: route.destination, length: route.length });
      if (message.type === RTM_NEWROUTE) arrivals.seen(`route to ${subnet}`);
      if (message.type === RTM_DELROUTE) arrivals.seen(`end of the route to ${subnet}`);
    }
  });
}

async function followLeases(input: FollowLeaseInput): Promise<FollowLeaseOutput> {
  const { endpoint, leases, folder } = input;
  const etcd = new Etcd3({ hosts: endpoint });
  const arrivals = new Arrivals();
  const native = loadNative();
  const listener = listenToRoutes(arrivals);
  const watcher = await etcd.watch().prefix(folder).create();
  watcher.on('put', ({ key }) => arrivals.seen(key.toString()));
  const { ID: lease } = await etcd.leaseClient.leaseGrant({ TTL: 3600 });
  const put = async (key: string, value: string, awaited: string) => {
    const arrival = arrivals.next(awaited);
    const began = monotonicMs();
    await etcd.kv.put({ key: Buffer.from(key), value: Buffer.from(value), lease });
    return (await arrival) - began;
  };

  const untilRoute: number[] = [];
  const untilWatched: number[] = [];
  for (const [index, { key, value, subnet }] of leases.entries()) {
    untilRoute.push(await put(key, value, `route to ${subnet}`));
    untilWatched.push(await put(`${folder}${index}`, value, `${folder}${index}`));
    const gone = arrivals.next(`end of the route to ${subnet}`);
    await etcd.kv.deleteRange({ key: Buffer.from(key) });
    await gone;
  }
  native.netlinkStopListening(listener);
  await watcher.cancel();
  etcd.close();
  return { untilRoute, untilWatched };
}

answer(followLeases);
