import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { CommandError } from '../../src/errors.js';
import { packageRoot } from '../../src/package-root.js';
import { displace, type Outcome, place, removeEmptyFolders } from '../../src/systemd/install.js';
import { ENVIRONMENT, PLACEMENTS, SERVICE } from '../../src/systemd/placement.js';
import { type FittedService, fitService } from '../../src/systemd/service.js';
import type { Tool } from './session.js';

interface InstallFlags {
  readonly uninstall?: true;
  readonly root: string;
  readonly dryRun?: boolean;
  readonly json?: true;
}

interface Report {
  readonly files: readonly Outcome[];
  readonly warnings: readonly string[];
  /** Commands for the operator. */
  readonly next: readonly string[];
}

export function addInstallUnitCommand(program: Command, tool: Tool): void {
  program
    .command('install-unit')
    .description('make lodend a service of systemd: put the unit and what belongs to it in place')
    .option('--uninstall', 'stop the service, and remove those of the files that nobody has edited')
    .option('--root <dir>', 'place the files below this folder, for an image', '/')
    .option('--dry-run', 'tell what would be done, and change nothing')
    .option('--json', 'for a script')
    .action(async (flags: InstallFlags) => {
      const report = await (flags.uninstall ? uninstall : install)(flags);
      if (flags.json) tool.terminal.print(JSON.stringify(report));
      else tell(report, flags, tool);
    });
}

async function install(flags: InstallFlags): Promise<Report> {
  const service = await ownService();
  const files: Outcome[] = [];
  for (const placement of PLACEMENTS) {
    const text = placement === SERVICE ? service.text : await contribution(placement.source);
    files.push(await place(placement, text, whereOf(flags)));
  }
  if (actsOnThisHost(flags)) await systemctl('daemon-reload');
  const kept = files.some(({ path, action }) => path === SERVICE.target && action === 'kept');
  return {
    files,
    warnings: kept
      ? [...service.warnings, `${SERVICE.target} was edited, so see to it that its ExecStart= is still right`]
      : service.warnings,
    next: [
      `\${EDITOR:-vi} ${ENVIRONMENT.target}    # where etcd is`,
      ...reloads(),
      'systemctl enable --now lodend',
      'systemctl restart docker    # unless it starts for the first time, or LODEND_DOCKER=restart',
    ],
  };
}

async function uninstall(flags: InstallFlags): Promise<Report> {
  if (actsOnThisHost(flags) && existsSync(SERVICE.target)) {
    await systemctl('disable', '--now', 'lodend.service');
  }
  const files: Outcome[] = [];
  for (const placement of PLACEMENTS) files.push(await displace(placement, whereOf(flags)));
  await removeEmptyFolders(whereOf(flags));
  if (actsOnThisHost(flags)) await systemctl('daemon-reload');
  const next = ['loden cleanup    # devices, routes and the subnet file are still there', ...reloads()];
  return { files, warnings: [], next };
}

function whereOf({ root, dryRun = false }: InstallFlags) {
  return { root, dryRun };
}

/** Whether there is a running systemd to be told. */
function actsOnThisHost({ root, dryRun = false }: InstallFlags): boolean {
  return root === '/' && !dryRun && existsSync('/run/systemd/system');
}

/** Of those that manage network devices, the ones that run here have to read our files before our devices come. */
function reloads(): string[] {
  return [
    ...(existsSync('/run/systemd/netif/state') ? ['networkctl reload'] : []),
    ...(existsSync('/run/NetworkManager') ? ['nmcli general reload conf'] : []),
  ];
}

async function ownService(): Promise<FittedService> {
  const program = { node: process.execPath, lodend: join(packageRoot(), 'dist/cmd/lodend.js') };
  return fitService(await contribution(SERVICE.source), program);
}

function contribution(source: string): Promise<string> {
  return readFile(join(packageRoot(), 'contrib', source), 'utf8');
}

async function systemctl(...words: readonly string[]): Promise<void> {
  await promisify(execFile)('systemctl', words).catch((cause: Error & { stderr?: string }) => {
    throw new CommandError(`systemctl ${words.join(' ')}: ${cause.stderr?.trim() || cause.message}`, {
      cause,
    });
  });
}

function tell({ files, warnings, next }: Report, flags: InstallFlags, { terminal }: Tool): void {
  for (const { path, action } of files) {
    const why = action === 'kept' ? ', as it was edited' : '';
    terminal.print(`${action.padEnd(9)} ${join(flags.root, path)}${why}`);
  }
  for (const warning of warnings) terminal.remark(`loden: ${warning}`);
  if (flags.dryRun) terminal.remark('loden: nothing was changed');
  else terminal.print(['', 'Next:', ...next.map((command) => `  ${command}`)].join('\n'));
}
