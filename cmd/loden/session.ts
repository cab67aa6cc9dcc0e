import type { Command } from 'commander';
import { addOptions, givenFlags } from '../../src/config/options/command.js';
import { ETCD_OPTIONS, etcdFlags } from '../../src/config/options/etcd.js';
import { type Environment, readOptions } from '../../src/config/options/read.js';
import type { OptionTable, OptionValues } from '../../src/config/options/table.js';
import { CommandError } from '../../src/errors.js';
import { configPath } from '../../src/lease/codec.js';
import { etcdOptions } from '../../src/lease/etcd-options.js';
import type { LeaseStore } from '../../src/lease/store.js';
import type { Terminal } from '../../src/terminal/terminal.js';

/** What every command is given. */
export interface Tool {
  readonly terminal: Terminal;
  readonly environment: Environment;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** What a command that talks to etcd works with. */
export interface Session<Table extends OptionTable> extends Tool {
  readonly store: LeaseStore;
  /** `etcd key /coreos.com/network/config`, for messages. */
  readonly configSource: string;
  /** As given: a comma list of URLs. */
  readonly etcdEndpoints: string;
  readonly options: OptionValues<Table>;
}

/** For commands that take no other flags of the daemon. */
export type EtcdSession = Session<Record<string, never>>;

/** Adds the daemon's etcd flags to a command, and those of its other flags that the command needs. */
export function addEtcdFlags(command: Command, more: OptionTable = {}): Command {
  return addOptions(command, { ...more, ...ETCD_OPTIONS });
}

/** Connects as the flags say, runs, and disconnects. */
export async function inSession<Table extends OptionTable>(
  tool: Tool,
  command: Command,
  more: Table,
  run: (session: Session<Table>) => Promise<void>,
): Promise<void> {
  const read = <Some extends OptionTable>(table: Some) =>
    readOptions(table, givenFlags(command, table), tool.environment).values;
  const etcdValues = read(ETCD_OPTIONS);
  const { warnings, ...etcd } = await etcdOptions(etcdFlags(etcdValues));
  for (const warning of warnings) tool.terminal.remark(`loden: ${warning}`);
  // The client of etcd takes longer to load than all the rest together, and most words on a command line need none.
  const { EtcdStore } = await import('../../src/lease/etcd-store.js');
  const store = new EtcdStore({ ...etcd, warnings });
  try {
    const configSource = `etcd key ${configPath(etcdValues.etcdPrefix)}`;
    const { etcdEndpoints } = etcdValues;
    await run({ ...tool, store, configSource, etcdEndpoints, options: read(more) });
  } finally {
    store.close();
  }
}

interface Question {
  /** What is at stake, a sentence without its full stop. */
  readonly why: string;
  readonly question: string;
  /** `--yes` was given. */
  readonly yes: boolean | undefined;
}

/** Goes on when a person, or `--yes` for them, agrees. Throws CommandError otherwise. */
export async function agreed(tool: Tool, { why, question, yes }: Question): Promise<void> {
  if (yes) return;
  const { terminal, signal } = tool;
  if (!terminal.interactive) {
    throw new CommandError(
      `${why}; nothing was changed, as nobody is here to be asked: repeat it with --yes`,
    );
  }
  terminal.remark(`${why}.`);
  if (!(await terminal.confirm(question, signal))) throw new CommandError('nothing was changed');
}
