import type { KernelState, Ownership } from '../kernel.js';
import { type KernelObject, keyOf } from '../objects.js';
import { readSysctl } from '../sysctl.js';
import { RTM_GETADDR, readAddress, writeGetAddresses } from './address.js';
import type { Connection } from './connection.js';
import { kernelError } from './failure.js';
import { Filter, type Known } from './filter.js';
import { LinkTable } from './link-table.js';
import { AF_BRIDGE, AF_INET, RTM_GETNEIGH, readNeighbour, writeGetNeighbours } from './neighbour.js';
import { RTM_GETROUTE, readRoute, writeGetRoutes } from './route.js';

const ATTEMPTS = 10;
const EINTR = 4;

/**
 * The state of all that `owned` covers. It is read table by table, so the links are looked at again at the end: had
 * one gone down meanwhile, its routes would have vanished without a notification, and the state would show them.
 */
export async function dumpState(
  connection: Connection,
  owned: Ownership,
  known: Known,
  signal: AbortSignal,
): Promise<KernelState> {
  known.unfinished.forget();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    signal.throwIfAborted();
    const filter = new Filter(owned, known, await LinkTable.read(connection));
    const state = new Map<string, KernelObject>();
    await readTables(connection, filter, (object) => {
      const key = keyOf(object);
      // Of several routes with one key the kernel uses, and shows, the first.
      if (!state.has(key)) state.set(key, object);
    });
    if (!isSteady(filter, await LinkTable.read(connection))) continue;
    for (const path of owned.sysctls) {
      const sysctl = await readSysctl(path);
      if (sysctl) state.set(keyOf(sysctl), sysctl);
    }
    return state;
  }
  throw kernelError("read the kernel's state", {
    errno: EINTR,
    text: 'links kept going up and down meanwhile',
  });
}

async function readTables(
  connection: Connection,
  filter: Filter,
  tell: (object: KernelObject) => void,
): Promise<void> {
  const tellIfAny = (object: KernelObject | undefined) => object && tell(object);
  for (const link of filter.links.values()) {
    const own = filter.link(link);
    if (!own) continue;
    tell(own);
    await connection.dump(
      RTM_GETADDR,
      (writer, header) => writeGetAddresses(writer, header, link.index),
      ({ buffer, start, end }) => {
        const message = readAddress(buffer, start, end);
        if (message?.link === link.index) tellIfAny(filter.address(message));
      },
    );
    for (const family of [AF_INET, AF_BRIDGE]) {
      await connection.dump(
        RTM_GETNEIGH,
        (writer, header) => writeGetNeighbours(writer, header, { family, link: link.index }),
        ({ buffer, start, end }) => {
          const message = readNeighbour(buffer, start, end);
          if (message.family === family) tellIfAny(filter.neighbour(message));
        },
      );
    }
  }
  await connection.dump(RTM_GETROUTE, writeGetRoutes, ({ buffer, start, end }) => {
    const message = readRoute(buffer, start, end);
    if (message) tellIfAny(filter.route(message));
  });
}

/** Whether every link that things of ours hang on is still there, and as it was. */
function isSteady(filter: Filter, now: LinkTable): boolean {
  for (const before of filter.links.values()) {
    if (!filter.dependsOn(before)) continue;
    const after = now.get(before.index);
    if (after?.name !== before.name || after?.up !== before.up) return false;
  }
  for (const after of now.values()) {
    if (filter.ownsLink(after.name) && !filter.links.get(after.index)) return false;
  }
  return true;
}
