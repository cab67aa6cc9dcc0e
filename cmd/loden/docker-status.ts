import type { Command } from 'commander';
import { givenFlags } from '../../src/config/options/command.js';
import { readOptions } from '../../src/config/options/read.js';
import { readSubnetFile } from '../../src/config/subnet-file.js';
import { readDaemonJson } from '../../src/docker/daemon-json-file.js';
import { engineControl } from '../../src/docker/engine-control.js';
import { thisHost } from '../../src/docker/engine-host.js';
import { SocketEngine } from '../../src/docker/engine-socket.js';
import { leasedBridge } from '../../src/docker/leased-bridge.js';
import { type DockerStatus, dockerStatus, type Seen } from '../../src/docker/status.js';
import { DockerError, FirewallError } from '../../src/errors.js';
import { dropsOnHost } from '../../src/firewall/drops-on-host.js';
import { HostFirewall } from '../../src/firewall/host/host-firewall.js';
import { NetlinkKernel } from '../../src/kernel/netlink/netlink-kernel.js';
import { formatTable } from '../../src/terminal/table.js';
import { DOCKER_STATUS_FLAGS } from './docker.js';
import type { Tool } from './session.js';

/** What `loden docker status` does. */
export async function showDockerStatus(
  { terminal, environment, signal }: Tool,
  command: Command,
  json: true | undefined,
): Promise<void> {
  const { subnetFile, dockerConfig, dockerSocket } = readOptions(
    DOCKER_STATUS_FLAGS,
    givenFlags(command, DOCKER_STATUS_FLAGS),
    environment,
  ).values;
  const [lease, text, flags, engine] = await Promise.all([
    leasedBridge(subnetFile),
    readDaemonJson(dockerConfig),
    thisHost.findDockerd().then(thisHost.dockerFlags),
    new SocketEngine(dockerSocket).state(signal).catch((error) => {
      if (error instanceof DockerError) return error.message;
      throw error;
    }),
  ]);
  const bridge = dockerStatus({ lease, text, flags, engine, how: engineControl(undefined).how });
  const drops = await dropSentences(subnetFile, signal);
  const found = {
    ...bridge,
    agrees: bridge.agrees && drops.length === 0,
    advice: [...bridge.advice, ...drops],
  };
  if (json) terminal.print(JSON.stringify(found));
  else {
    terminal.print(table(found, { subnetFile, dockerConfig }));
    for (const sentence of found.agrees ? ['Docker follows the lease.'] : found.advice)
      terminal.print(sentence);
  }
  if (!found.agrees) process.exitCode = 1;
}

/** One for each firewall rule that drops packets between containers. */
async function dropSentences(subnetFile: string, signal: AbortSignal): Promise<readonly string[]> {
  const { network, subnet } = await readSubnetFile(subnetFile);
  if (network === undefined || subnet === undefined) return [];
  const kernel = new NetlinkKernel();
  try {
    const drops = await dropsOnHost({ network, subnet, kernel, firewall: new HostFirewall(), signal });
    return drops.map(
      ({ flow, rule, advice }) => `A firewall rule drops packets ${flow}: ${rule} (${advice}).`,
    );
  } catch (error) {
    if (error instanceof FirewallError) return [`The firewall could not be looked at: ${error.message}.`];
    throw error;
  } finally {
    kernel.close();
  }
}

function table({ lease, file, engine }: DockerStatus, paths: { subnetFile: string; dockerConfig: string }) {
  const row = (where: string, seen: Seen | null) =>
    [where, seen?.bip ?? '-', String(seen?.mtu ?? '-')].map((text) => ({ text }));
  return formatTable(
    ['WHERE', 'BIP', 'MTU'],
    [
      row(`lease, ${paths.subnetFile}`, lease),
      row(`file, ${paths.dockerConfig}`, file),
      row(`engine${engine === null ? '' : ` ${engine.version}`}`, engine),
    ],
  );
}
