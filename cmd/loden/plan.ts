import type { Command } from 'commander';
import { Guard } from '../../src/agent/peers/guard.js';
import { surveyHost } from '../../src/agent/survey.js';
import { LEASE_OPTIONS, UPLINK_OPTIONS } from '../../src/config/options/host.js';
import { CommandError } from '../../src/errors.js';
import { NetlinkKernel } from '../../src/kernel/netlink/netlink-kernel.js';
import { command as commandOf } from '../../src/kernel/text.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { addEtcdFlags, inSession, type Session, type Tool } from './session.js';

const MORE_FLAGS = { ...UPLINK_OPTIONS, subnetFile: LEASE_OPTIONS.subnetFile };

export function addPlanCommand(program: Command, tool: Tool): void {
  addEtcdFlags(program.command('plan'), MORE_FLAGS)
    .description("show what lodend would change in this host's kernel now, as commands, and change nothing")
    .option('--json', 'for a script')
    .action(({ json }: { json?: true }, command: Command) =>
      inSession(tool, command, MORE_FLAGS, (session) => plan(session, json)),
    );
}

async function plan(session: Session<typeof MORE_FLAGS>, json: true | undefined): Promise<void> {
  const { store, terminal, signal, configSource, options } = session;
  const configText = await store.readConfig(signal);
  if (configText === undefined)
    throw new CommandError(`there is no ${configSource}; loden config set FILE makes it`);
  const { leases } = await store.snapshot(signal);
  const { planHost } = await import('../../src/tool/plan-host.js');
  const kernel = new NetlinkKernel();
  try {
    const { subnetFile } = options;
    const survey = await surveyHost({
      configText,
      configSource,
      request: options,
      subnetFile,
      kernel,
      signal,
    });
    const guard = new Guard({
      kernel,
      pool: survey.network.network,
      ownLinks: survey.owned.links,
      etcdEndpoints: session.etcdEndpoints,
    });
    const hostPlan = await planHost(survey, leases, await guard.look(signal));
    for (const text of [...survey.warnings, survey.uplinkChoice]) terminal.remark(`loden: ${text}`);
    const { changes = [], clashes = [] } = hostPlan ?? {};
    if (json) {
      const subnet = hostPlan ? formatPrefix(hostPlan.lease.subnet) : null;
      const commands = changes.map((change) => ({ ...change, command: commandOf(change) }));
      terminal.print(JSON.stringify({ subnet, changes: commands, clashes }));
      return;
    }
    if (!hostPlan) terminal.remark('loden: this host holds no lease; lodend would claim one first');
    else if (changes.length === 0) terminal.remark('loden: nothing to change');
    for (const change of changes) terminal.print(commandOf(change));
    for (const { reason } of clashes) terminal.remark(`loden: in the way: ${reason}`);
  } finally {
    kernel.close();
  }
}
