import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { type CheckedConfig, checkConfig } from '../../src/backend/checked-config.js';
import { CommandError, ConfigError, FileError } from '../../src/errors.js';
import type { Lease } from '../../src/lease/lease.js';
import { lineDiff } from '../../src/terminal/line-diff.js';
import type { Terminal } from '../../src/terminal/terminal.js';
import { consequencesOf, describeStranded, laidOut } from '../../src/tool/config-change.js';
import { effectiveConfig, summariseConfig } from '../../src/tool/config-summary.js';
import { addEtcdFlags, agreed, type EtcdSession, inSession, type Tool } from './session.js';

export function addConfigCommand(program: Command, tool: Tool): void {
  const config = program
    .command('config')
    .description("the network's config, which all hosts share")
    .helpCommand(false);
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
      const checked = checkConfig(await readConfigFile(file), sourceOf(file));
      tell(tool.terminal, checked);
      tool.terminal.print(json ? JSON.stringify(effectiveConfig(checked)) : summariseConfig(checked));
    });
  addEtcdFlags(config.command('set <file>'))
    .description('check a config, show what changes, and write it; - is stdin')
    .option('--yes', 'without a question')
    .action(async (file: string, { yes }: { yes?: true }, command: Command) => {
      const text = await readConfigFile(file);
      const checked = checkConfig(text, sourceOf(file));
      tell(tool.terminal, checked);
      await inSession(tool, command, {}, (session) => set(session, text, checked, yes));
    });
}

/** The text alone goes to stdout, so that it can be kept in a file and set again. */
async function show(session: EtcdSession, json: true | undefined): Promise<void> {
  const { store, terminal, signal, configSource } = session;
  const text = await store.readConfig(signal);
  if (text === undefined)
    throw new CommandError(`there is no ${configSource}; loden config set FILE makes it`);
  if (!json) terminal.print(text.trimEnd());
  const checked = checkConfig(text, configSource);
  tell(terminal, checked);
  if (json) terminal.print(JSON.stringify(effectiveConfig(checked)));
  else terminal.remark(summariseConfig(checked));
}

async function set(
  session: EtcdSession,
  text: string,
  checked: CheckedConfig,
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
  await warnOfConsequences(session, [...leases.values()], { current, checked, yes });
  if (!(await store.writeConfig(text, current, signal))) {
    throw new CommandError(`${configSource} was changed by somebody else meanwhile; nothing was written`);
  }
  terminal.print(`${configSource} is written; hosts take it at their next start`);
}

/** Asks if the change cuts off any of the hosts there are. */
async function warnOfConsequences(
  session: EtcdSession,
  leases: readonly Lease[],
  change: { current: string | undefined; checked: CheckedConfig; yes: true | undefined },
): Promise<void> {
  const { current, checked, yes } = change;
  const before = current === undefined ? undefined : usable(current);
  const { stranded, warnings } = consequencesOf(leases, before, checked);
  for (const line of describeStranded(stranded)) session.terminal.remark(`  ${line}`);
  if (warnings.length > 0) await agreed(session, { why: warnings.join('; '), question: 'Write it?', yes });
}

function usable(text: string): CheckedConfig | undefined {
  try {
    return checkConfig(text, '');
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

function tell(terminal: Terminal, { warnings }: CheckedConfig): void {
  for (const warning of warnings) terminal.remark(`loden: ${warning}`);
}

function printDiff(terminal: Terminal, before: string, after: string): void {
  const colours = { '-': 'red', '+': 'green', ' ': 'dim' } as const;
  const lines = lineDiff(laidOut(before), laidOut(after));
  // An absent config is a text of one empty line.
  const shown = before === '' ? lines.filter(({ sign }) => sign === '+') : lines;
  terminal.print(shown.map(({ sign, text }) => terminal.paint(`${sign} ${text}`, colours[sign])).join('\n'));
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
