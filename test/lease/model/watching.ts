/** What the watch has still to tell each host of its own key. */
import { leaseKey } from '../../../src/lease/codec.js';
import type { LeaseKey } from '../../../src/lease/store.js';
import { type Event, WHOLE } from './etcd.js';
import type { Host, View } from './world.js';

/** Longer queues are forgotten, as a compaction would have it. */
const QUEUE = 2;

export function told(hosts: readonly Host[], events: readonly Event[]): Host[] {
  return hosts.map((host) => {
    if (!('queue' in host) || events.length === 0) return host;
    const key = keyOf(host);
    const news = events.filter((event) => event.kind === 'whole' || event.key === key);
    if (news.length === 0 || host.queue[0]?.kind === 'whole') return host;
    const queue = [...host.queue, ...news];
    return {
      ...host,
      queue: queue.length > QUEUE || news.some(({ kind }) => kind === 'whole') ? WHOLE : queue,
    };
  });
}

function keyOf(host: Extract<Host, View>): LeaseKey {
  return host.at === 'claim' ? leaseKey(host) : leaseKey(host.lease);
}
