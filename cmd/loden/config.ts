import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { backendFor } from '../../src/backend/registry.js';
import { backendWarnings, type NetworkConfig, parseNetworkConfig } from '../../src/config/network.js';
import { CommandError, ConfigError, FileError } from '../../src/errors.js';
import { poolSize } from '../../src/lease/allocate.js';
import type { Lease } from '../../src/lease/lease.js';
import { formatIpv4 } from '../../src/net/ipv4.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { lineDiff } from '../../src/terminal/line-diff.js';
import type { Terminal } from '../../src/terminal/terminal.js';
import { changesDataPath, describeStranded, laidOut, strandedLeases } from '../../src/tool/config-change.js';
import { addEtcdFlags, agreed, inSession, type Session, type Tool } from './session.js';

/** A config that the daemon would start with. */
interface Checked {
  readonly config: NetworkConfig;
  readonly backendOptions: unknown;
  readonly warnings: readonly string[];
}

export function addConfigCommand(program: Command, tool: Tool): void {
  const config = program.command('config').description("the network's config, which all hosts share");
  addEtcdFlags(config.command('show'))
    .description('print the config that etcd has, and what it comes to')
    .option('--json', 'what it comes to, for a script')
    .action(({ json }: { json?: true }, command: Command) =>
      inSession(tool, command, {}, (session) => show(session, json)),
    );
  config
    .command('check <file>')
    .description("check a config with the daemon's own parser; - is stdin")
    .option('--json', 'what it comes to, for a script')
    .action(async (file: string, { json }: { json?: true }) => {
      const checked = check(await readConfigFile(file), sourceOf(file));
      tell(tool.terminal, checked);
      tool.terminal.print(json ? JSON.stringify(effective(checked)) : summary(checked));
    });
  addEtcdFlags(config.command('set <file>'))
    .description('check a config, show what changes, and write it; - is stdin')
    .option('--yes', 'without a question')
    .action(async (file: string, { yes }: { yes?: true }, command: Command) => {
      const text = await readConfigFile(file);
      const checked = check(text, sourceOf(file));
      tell(tool.terminal, checked);
      await inSession(tool, command, {}, (session) => set(session, text, checked, yes));
    });
}

async function show(session: Session<Record<string, never>>, json: true | undefined): Promise<void> {
  const { store, terminal, signal, configSource } = session;
  const text = await store.readConfig(signal);
  if (text === undefined)
    throw new CommandError(`there is no ${configSource}; loden config set FILE makes it`);
  if (!json) terminal.print(text.trimEnd());
  const checked = check(text, configSource);
  tell(terminal, checked);
  if (json) terminal.print(JSON.stringify(effective(checked)));
  else terminal.remark(summary(checked));
}

async function set(
  session: Session<Record<string, never>>,
  text: string,
  checked: Checked,
  yes: true | undefined,
): Promise<void> {
  const { store, terminal, signal, configSource } = session;
  const current = await store.readConfig(signal);
  if (current !== undefined && laidOut(current) === laidOut(text)) {
    terminal.print(`${configSource} has it already`);
    return;
  }
  printDiff(terminal, current ?? '', text);
  const { leases } = await store.snapshot(signal);
  const question = consequences(terminal, [...leases.values()], current, checked);
  if (question) await agreed(session, question, yes);
  if (!(await store.writeConfig(text, current, signal))) {
    throw new CommandError(`${configSource} was changed by somebody else meanwhile; nothing was written`);
  }
  terminal.print(`${configSource} is written; hosts take it at their next start`);
}

/** Tells what the change does to the hosts there are; the question to ask if that cuts off any. */
function consequences(
  terminal: Terminal,
  leases: readonly Lease[],
  currentText: string | undefined,
  next: Checked,
): string | undefined {
  const current = currentText === undefined ? undefined : usable(currentText);
  const stranded = strandedLeases(leases, current?.config, next.config);
  for (const line of describeStranded(stranded)) terminal.remark(`  ${line}`);
  const movesPath = current && leases.length > 0 && changesDataPath(pathOf(current), pathOf(next));
  const count = stranded.length === 1 ? '1 lease is' : `${stranded.length} leases are`;
  const parts = [
    ...(stranded.length > 0
      ? [
          `${count} stranded: at its next start such a host takes another subnet, and its containers new addresses.`,
        ]
      : []),
    ...(movesPath ? ['The backend changes: hosts reach each other again once all have been restarted.'] : []),
  ];
  return parts.length > 0 ? `${parts.join(' ')} Write it?` : undefined;
}

function pathOf({ config, backendOptions }: Checked): unknown {
  return { type: config.backend.type, backendOptions };
}

/** Throws ConfigError. */
function check(text: string, source: string): Checked {
  const { config, warnings } = parseNetworkConfig(text, source);
  try {
    const backendOptions = backendFor(config.backend.type).parseOptions(config.backend);
    return { config, backendOptions, warnings: [...warnings, ...backendWarnings(config.backend)] };
  } catch (error) {
    if (error instanceof ConfigError) error.source = source;
    throw error;
  }
}

function usable(text: string): Checked | undefined {
  try {
    return check(text, '');
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

function tell(terminal: Terminal, { warnings }: Checked): void {
  for (const warning of warnings) terminal.remark(`loden: ${warning}`);
}

function summary(checked: Checked): string {
  const { network, subnetLength, subnets, subnetMin, subnetMax, backend } = effective(checked);
  const options = Object.entries(backend.options ?? {}).map(([name, value]) => ` ${name}=${value}`);
  return `${network}: ${subnets} subnets /${subnetLength}, ${subnetMin} to ${subnetMax}; ${backend.type}${options.join('')}`;
}

function effective({ config, backendOptions }: Checked) {
  return {
    network: formatPrefix(config.network),
    subnetLength: config.subnetLength,
    subnets: poolSize(config),
    subnetMin: formatIpv4(config.subnetMin),
    subnetMax: formatIpv4(config.subnetMax),
    backend: { type: config.backend.type, options: backendOptions as object | undefined },
  };
}

function printDiff(terminal: Terminal, before: string, after: string): void {
  const colours = { '-': 'red', '+': 'green', ' ': 'dim' } as const;
  const lines = lineDiff(laidOut(before), laidOut(after)).filter(
    ({ sign, text }) => sign !== '-' || text !== '',
  );
  terminal.print(lines.map(({ sign, text }) => terminal.paint(`${sign} ${text}`, colours[sign])).join('\n'));
}

function sourceOf(file: string): string {
  return file === '-' ? 'stdin' : `file ${file}`;
}

async function readConfigFile(file: string): Promise<string> {
  try {
    return file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8');
  } catch (cause) {
    throw new FileError(file, `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
