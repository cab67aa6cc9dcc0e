import { networkInterfaces } from 'node:os';
import type { Command } from 'commander';
import { Guard } from '../../src/agent/peers/guard.js';
import { checkConfig } from '../../src/backend/checked-config.js';
import { LEASE_OPTIONS } from '../../src/config/options/host.js';
import { readSubnetFile } from '../../src/config/subnet-file.js';
import { LodenError } from '../../src/errors.js';
import { NetlinkKernel } from '../../src/kernel/netlink/netlink-kernel.js';
import type { GuardedAddress, JudgeContext } from '../../src/lease/judge.js';
import { isReservation, type Lease } from '../../src/lease/lease.js';
import type { LeaseStore } from '../../src/lease/store.js';
import { LeaseTable } from '../../src/lease/table.js';
import type { Prefix } from '../../src/net/prefix.js';
import { printable } from '../../src/printable.js';
import { formatLeaseRows, leaseRows } from '../../src/tool/lease-rows.js';
import { ANY_UPLINK, ownHost } from '../../src/tool/own-host.js';
import { addReleaseCommand, addReserveCommand } from './reservations.js';
import { addEtcdFlags, inSession, type Session, type Tool } from './session.js';

const MORE_FLAGS = { subnetFile: LEASE_OPTIONS.subnetFile };
type LeasesSession = Session<typeof MORE_FLAGS>;

/** The time left is shown anew this often while nothing happens. */
const REFRESH_MS = 5_000;
/** Questions to etcd under way at once. */
const PARALLEL = 64;

export function addLeasesCommand(program: Command, tool: Tool): void {
  const leases = addEtcdFlags(program.command('leases'), MORE_FLAGS)
    .description('show all leases, judged as the daemon of this host judges them')
    .option('--json', 'for a script')
    .option('--watch', 'show changes as they happen')
    .action(({ json, watch }: { json?: true; watch?: true }, command: Command) =>
      inSession(tool, command, MORE_FLAGS, (session) => (watch ? follow : showOnce)(session, json)),
    );
  addReserveCommand(leases, tool);
  addReleaseCommand(leases, tool);
}

async function showOnce(session: LeasesSession, json: true | undefined): Promise<void> {
  const table = new LeaseTable(await session.store.snapshot(session.signal));
  const shown = await picture(session, table, json);
  session.terminal.print(shown);
  for (const [key, reason] of table.skipped)
    session.terminal.remark(printable(`loden: skipped ${key}: ${reason}`));
}

/** Until interrupted. A screen is drawn again, a file or a pipe gets each state after the other. */
async function follow(session: LeasesSession, json: true | undefined): Promise<void> {
  const { store, terminal, signal } = session;
  const snapshot = await store.snapshot(signal);
  const table = new LeaseTable(snapshot);
  let wake = () => {};
  const listening = (async () => {
    for await (const updates of store.watch(snapshot.revision, signal)) {
      for (const update of updates) {
        if (update.kind === 'disconnected') terminal.remark(`loden: no word from etcd: ${update.reason}`);
        if (update.kind === 'connected') terminal.remark('loden: etcd is back');
        if (table.fold(update).length > 0) wake();
      }
    }
  })();
  for (;;) {
    const changed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    // While etcd is away the last picture stays, and a new one is tried for.
    const shown = await picture(session, table, json).catch((error: unknown) => {
      if (!signal.aborted && !(error instanceof LodenError && error.retryable)) throw error;
    });
    if (signal.aborted) return;
    if (shown !== undefined) {
      terminal.clear();
      terminal.print(shown);
    }
    const refresh = terminal.screen || shown === undefined ? setTimeout(wake, REFRESH_MS) : undefined;
    await Promise.race([changed, listening]);
    clearTimeout(refresh);
    if (signal.aborted) return;
  }
}

async function picture(session: LeasesSession, table: LeaseTable, json: true | undefined): Promise<string> {
  const leases = [...table.leases.values()];
  const [context, secondsLeft] = await Promise.all([
    judgeContext(session, leases),
    readSecondsLeft(session.store, leases, session.signal),
  ]);
  const rows = leaseRows({ leases, context, secondsLeft });
  if (!json) return formatLeaseRows(rows, session.terminal.paint);
  const skipped = [...table.skipped].map(([key, reason]) => ({ key, reason }));
  return JSON.stringify({ leases: rows, skipped });
}

/** Undefined, with a remark, when there is no config that the daemon could work with. */
async function judgeContext(
  session: LeasesSession,
  leases: readonly Lease[],
): Promise<JudgeContext | undefined> {
  const text = await session.store.readConfig(session.signal);
  if (text === undefined) {
    session.terminal.remark(`loden: no network config at ${session.configSource}, so leases are not judged`);
    return undefined;
  }
  try {
    const { network, backend, backendOptions: options } = checkConfig(text, session.configSource);
    const { subnet } = await readSubnetFile(session.options.subnetFile);
    const host = ownHost(subnet, leases, networkInterfaces());
    const uplink = host?.uplink ?? ANY_UPLINK;
    const ownData = host?.lease.attributes.backendData;
    const { links } = backend.owns(options);
    return {
      network,
      subnet: host?.lease.subnet,
      publicIp: host?.lease.attributes.publicIp,
      uplinkNetworks: host?.uplink?.networks ?? [],
      guarded: host ? await guardedHere(session, network.network, links) : [],
      leaseType: backend.leaseType || undefined,
      refusal: (lease) => backend.refusal({ network, options, uplink, ownData }, lease),
      markOf: (lease) => backend.markOf?.(lease),
      markFor: (each) => backend.markFor?.(options, each),
    };
  } catch (error) {
    if (!(error instanceof LodenError)) throw error;
    session.terminal.remark(`loden: leases are not judged: ${error.message}`);
    return undefined;
  }
}

/** As the daemon finds them. */
async function guardedHere(
  { etcdEndpoints, signal }: LeasesSession,
  pool: Prefix,
  ownLinks: readonly string[],
): Promise<readonly GuardedAddress[]> {
  const kernel = new NetlinkKernel();
  try {
    return await new Guard({ kernel, pool, ownLinks, etcdEndpoints }).look(signal);
  } finally {
    kernel.close();
  }
}

/** One question for each etcd lease: what keys and values tell does not include the time that is left. */
async function readSecondsLeft(
  store: LeaseStore,
  leases: readonly Lease[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const ids = new Set(leases.filter((lease) => !isReservation(lease)).map(({ leaseId }) => leaseId));
  const waiting = ids.values();
  const left = new Map<string, number>();
  const ask = async () => {
    for (const id of waiting) {
      const answer = await store.timeToLive(id, signal);
      if (answer) left.set(id, answer.left);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, ask));
  return left;
}
