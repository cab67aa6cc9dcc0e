#!/usr/bin/env node
/** The operator's tool: reads the command line, runs one command, and is the only place of it that exits. */
import { Command, CommanderError } from 'commander';
import { version } from '../src/config/version.js';
import { LodenError } from '../src/errors.js';
import { terminal } from '../src/terminal/terminal.js';
import { errorText } from './error-text.js';
import { exitCodeOf } from './exit-code.js';
import { addCleanupCommand } from './loden/cleanup.js';
import { addCompletionCommand } from './loden/completion.js';
import { addConfigCommand } from './loden/config.js';
import { addDockerCommand } from './loden/docker.js';
import { addDockerOptsCommand } from './loden/docker-opts.js';
import { addInstallUnitCommand } from './loden/install-unit.js';
import { addLabCommand } from './loden/lab.js';
import { addLeasesCommand } from './loden/leases.js';
import { addPlanCommand } from './loden/plan.js';
import type { Tool } from './loden/session.js';

function program(tool: Tool): Command {
  const root = new Command('loden')
    .description("Looks after loden's leases, config and hosts.")
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .addHelpText(
      'after',
      `
A flag of the daemon may also be an environment variable: --etcd-prefix is
LODEND_ETCD_PREFIX or FLANNELD_ETCD_PREFIX.
LODEN_DEBUG=1 shows where an error came from. NO_COLOR turns colours off.
Exit status: 0 done, 1 failure, 2 bad flag or config.`,
    );
  addLeasesCommand(root, tool);
  addConfigCommand(root, tool);
  addPlanCommand(root, tool);
  addCleanupCommand(root, tool);
  addDockerCommand(root, tool);
  addDockerOptsCommand(root, tool);
  addInstallUnitCommand(root, tool);
  addLabCommand(root, tool);
  addCompletionCommand(root, tool);
  return root;
}

/** commander's `error: unknown option '--x=y'`, where y may be a secret, and, on a second line, what was perhaps meant. */
function oneLine(text: string): string {
  return `${text
    .replace(/^error: /, 'loden: ')
    .replace(/^(loden: unknown option '[\w-]*)[^\w'-].*'$/m, "$1…'")
    .trimEnd()
    .replaceAll('\n', ' ')}\n`;
}

async function main(): Promise<number> {
  const stop = new AbortController();
  // Not `once`: a child started with execa brings a listener of its own, which ends us when it finds itself alone.
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.on(name, () => (stop.signal.aborted ? process.exit(1) : stop.abort(name)));
  const tool = { terminal: terminal(process, process.env), environment: process.env, signal: stop.signal };
  try {
    await program(tool).parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // It has printed its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    tool.terminal.remark(`loden: ${stop.signal.aborted ? 'interrupted' : explain(error)}`);
    return exitCodeOf(error);
  }
}

function explain(error: unknown): string {
  if (!(error instanceof LodenError) || process.env.LODEN_DEBUG) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  return errorText(error);
}

// `loden leases | head` closes the pipe early, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exit(await main());
