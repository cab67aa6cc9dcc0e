import { unlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { knownIdentity } from '../../src/agent/identity/identity.js';
import { checkConfig } from '../../src/backend/checked-config.js';
import { LEASE_OPTIONS } from '../../src/config/options/host.js';
import { type PreviousSubnet, readSubnetFile } from '../../src/config/subnet-file.js';
import { CommandError, FileError, OptionError } from '../../src/errors.js';
import { errnoOf } from '../../src/files/write-whole.js';
import type { Firewall } from '../../src/firewall/firewall.js';
import { diff } from '../../src/kernel/diff.js';
import type { Change, Kernel, Ownership } from '../../src/kernel/kernel.js';
import { NetlinkKernel } from '../../src/kernel/netlink/netlink-kernel.js';
import { command as commandOf } from '../../src/kernel/text.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { leaseToRelease, ownedByConfig, ownedByPool } from '../../src/tool/leftovers.js';
import { addEtcdFlags, agreed, inSession, type Session, type Tool } from './session.js';

const MORE_FLAGS = { subnetFile: LEASE_OPTIONS.subnetFile, stateDir: LEASE_OPTIONS.stateDir };

/** A daemon that runs puts back what is missing within 50 ms. */
const COME_BACK_MS = 300;

interface CleanupFlags {
  readonly lease?: true;
  readonly offline?: true;
  readonly yes?: true;
}

type CleanupSession = Session<typeof MORE_FLAGS> & {
  readonly kernel: Kernel;
  readonly firewall: Firewall;
  readonly previous: PreviousSubnet;
};

export function addCleanupCommand(program: Command, tool: Tool): void {
  addEtcdFlags(program.command('cleanup'), MORE_FLAGS)
    .description('remove what lodend made on this host: devices, routes, firewall rules and the subnet file')
    .option('--lease', 'release its lease too')
    .option('--offline', 'without etcd: go by the pool that the subnet file names')
    .option('--yes', 'without a question')
    .action((flags: CleanupFlags, command: Command) =>
      inSession(tool, command, MORE_FLAGS, async (session) => {
        if (flags.lease && flags.offline)
          throw new OptionError('--lease', '--lease needs etcd, so leave out one of it and --offline');
        const { HostFirewall } = await import('../../src/firewall/host/host-firewall.js');
        const kernel = new NetlinkKernel();
        try {
          const previous = await readSubnetFile(session.options.subnetFile);
          await cleanUp({ ...session, kernel, firewall: new HostFirewall(), previous }, flags);
        } finally {
          kernel.close();
        }
      }),
    );
}

async function cleanUp(session: CleanupSession, flags: CleanupFlags): Promise<void> {
  const { terminal, options, firewall, signal } = session;
  const owned = await (flags.offline ? ownedOffline : ownedOnline)(session);
  const removals = await findRemovals(session, owned);
  const rules = await firewall.remove(owned.pools, signal, 'look');
  for (const change of removals) terminal.print(commandOf(change));
  for (const rule of rules) terminal.print(rule);
  if (removals.length > 0 || rules.length > 0 || flags.lease) {
    const why = 'containers of this host and those of others stop reaching each other';
    await agreed(session, { why, question: 'Remove all that is listed?', yes: flags.yes });
  }
  // The subnet file goes last: it tells a second try what to look for.
  if (flags.lease) await releaseLease(session);
  await remove(session, owned, removals);
  await firewall.remove(owned.pools, signal);
  await removeFile(options.subnetFile);
  terminal.print(`this host is clean: ${removals.length + rules.length} removed, and ${options.subnetFile}`);
}

async function ownedOnline(session: CleanupSession): Promise<Ownership> {
  const { store, kernel, signal, configSource, previous } = session;
  const text = await store.readConfig(signal);
  if (text !== undefined)
    return ownedByConfig(checkConfig(text, configSource), previous.network, kernel, signal);
  throw new CommandError(
    `there is no ${configSource} to tell what is ours; see --etcd-prefix, or use --offline`,
  );
}

async function ownedOffline({ kernel, signal, previous, options }: CleanupSession): Promise<Ownership> {
  if (previous.network) return ownedByPool(previous.network, kernel, signal);
  throw new CommandError(`${options.subnetFile} names no pool to tell what is ours; see --subnet-file`);
}

async function findRemovals(
  { kernel, signal }: CleanupSession,
  owned: Ownership,
): Promise<readonly Change[]> {
  return diff({ desired: new Map(), observed: await kernel.dump(owned, signal), owned }).changes;
}

async function remove(session: CleanupSession, owned: Ownership, removals: readonly Change[]): Promise<void> {
  if (removals.length === 0) return;
  const { failures } = await session.kernel.apply(removals, session.signal);
  if (failures[0]) {
    const { change, error } = failures[0];
    const which = `${commandOf(change)}: ${error.message}`;
    throw new CommandError(`${failures.length} of ${removals.length} could not be removed, first ${which}`);
  }
  await pause(COME_BACK_MS, undefined, { signal: session.signal });
  const back = await findRemovals(session, owned);
  if (back.length === 0) return;
  throw new CommandError(`${back.length} came back: lodend seems to be running; stop it and clean up again`);
}

async function releaseLease(session: CleanupSession): Promise<void> {
  const { store, kernel, terminal, signal, options, previous } = session;
  const [{ leases }, identity, interfaces] = await Promise.all([
    store.snapshot(signal),
    knownIdentity(options.stateDir),
    kernel.interfaces(signal),
  ]);
  const lease = leaseToRelease(leases.values(), { subnet: previous.subnet, identity, interfaces });
  if (lease === undefined) {
    terminal.remark('loden: this host holds no lease');
    return;
  }
  if (lease === 'foreign') {
    const name = formatPrefix(previous.subnet!);
    throw new CommandError(
      `${name}, which ${options.subnetFile} names, is another host's lease; leave out --lease`,
    );
  }
  const name = formatPrefix(lease.subnet);
  if (!(await store.release(lease, signal)))
    throw new CommandError(`${name} was changed meanwhile; try again`);
  terminal.print(`${name} is released`);
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return;
    throw new FileError(path, `cannot remove ${path}: ${(cause as Error).message}`, { cause });
  }
}
