import type { Command } from 'commander';
import { addOptions } from '../../src/config/options/command.js';
import { DOCKER_PLACE_OPTIONS } from '../../src/config/options/docker.js';
import { LEASE_OPTIONS } from '../../src/config/options/host.js';
import type { Tool } from './session.js';

export const DOCKER_STATUS_FLAGS = { subnetFile: LEASE_OPTIONS.subnetFile, ...DOCKER_PLACE_OPTIONS };

export function addDockerCommand(program: Command, tool: Tool): void {
  const docker = program
    .command('docker')
    .description("look at this host's Docker engine")
    .helpCommand(false);
  addOptions(docker.command('status'), DOCKER_STATUS_FLAGS)
    .description(
      'show whether lease, daemon.json and engine agree on docker0, and which firewall rule drops packets of containers; exit status 1 when all is not well',
    )
    .option('--json', 'for a script')
    .action(async ({ json }: { json?: true }, command: Command) => {
      const { showDockerStatus } = await import('./docker-status.js');
      await showDockerStatus(tool, command, json);
    });
}
