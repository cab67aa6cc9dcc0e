import type { Command } from 'commander';
import { commonJs } from '../../common-js.js';
import { addOptions, givenFlags } from './command.js';
import { DAEMON_OPTIONS, type DaemonOptions } from './daemon.js';
import { FLANNEL_ONLY_OPTIONS } from './flannel-only.js';
import { normaliseGoFlags } from './go-syntax.js';
import { type Environment, readOptions, unknownVariables } from './read.js';

const commander = commonJs('commander') as typeof import('commander');

/** What a command line of the daemon asks for. */
export type DaemonCommand =
  | { readonly kind: 'run'; readonly options: DaemonOptions; readonly warnings: readonly string[] }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' };

/** `argv` without the program's own name. Throws OptionError. */
export function parseDaemonOptions(argv: readonly string[], environment: Environment): DaemonCommand {
  const words = normaliseGoFlags(argv, Object.values(DAEMON_OPTIONS));
  const command = daemonCommand();
  if (words.includes('--help')) return { kind: 'help', text: helpText(command) };
  command.parse(words, { from: 'user' });
  const flags = givenFlags(command, DAEMON_OPTIONS);
  // Asked for its version, the program answers, whatever else is wrong.
  if (flags.get('version')?.at(-1) === 'true') return { kind: 'version' };
  const { values, warnings } = readOptions(DAEMON_OPTIONS, flags, environment);
  const { version: _, verbosity, logLevel, ...rest } = values;
  return {
    kind: 'run',
    options: { ...rest, logLevel: logLevel ?? (verbosity > 0 ? 'debug' : 'info') },
    warnings: [...warnings, ...unknownVariables(DAEMON_OPTIONS, environment)],
  };
}

function daemonCommand(): Command {
  const command = new commander.Command('lodend')
    .description('Leases this host a subnet from etcd and connects its containers with those of other hosts.')
    .usage('[options]')
    .addHelpOption(new commander.Option('-h, --help', 'print this').helpGroup('Process:'));
  return addOptions(command, DAEMON_OPTIONS);
}

function helpText(command: Command): string {
  const ignored = Object.values(FLANNEL_ONLY_OPTIONS).map(({ flag }) => flag);
  return `${command.helpInformation()}
An option takes one dash or two, -f value or -f=value; a boolean its value with
=. Each may be an environment variable: --iface is LODEND_IFACE, and
FLANNELD_IFACE if flannel has it too. Accepted for flannel's sake, without
effect:
${wrap(ignored, 78)}
Exit status: 0 stopped by a signal, 1 failure, 2 bad option or config,
3 subnet lost to another host.
`;
}

/** Lines of at most `width` characters, indented by two. */
function wrap(words: readonly string[], width: number): string {
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join('\n');
}
