import { type Command, Option } from 'commander';
import { OptionError } from '../../src/errors.js';
import { LAB_BACKENDS, MOST_HOSTS } from '../../src/lab/options.js';
import type { StatusOptions, UpOptions } from './lab-run.js';
import type { Tool } from './session.js';

export function addLabCommand(program: Command, tool: Tool): void {
  const lab = program
    .command('lab')
    .description('a network of hosts on this machine, to try and to learn')
    .helpCommand(false);
  const nameOption = () => new Option('--name <name>', 'which lab, of several').default('lab');

  lab
    .command('up')
    .description('make hosts as network namespaces, with etcd, lodend and a container in each')
    .addOption(nameOption())
    .option('--hosts <n>', 'how many', hostCount, 3)
    .addOption(
      new Option('--backend <type>', 'how packets travel').choices(LAB_BACKENDS).default(LAB_BACKENDS[0]),
    )
    .option('--network <cidr>', 'the pool that subnets are leased from', '10.77.0.0/16')
    .action(async (options: UpOptions) => (await act()).up(options, tool));

  lab
    .command('status')
    .description(
      'show the hosts, and ping from each container to each other one; exit status 1 when a way is closed',
    )
    .addOption(nameOption())
    .option('--json', 'for a script')
    .action(async (options: StatusOptions) => (await act()).status(options, tool));

  lab
    .command('exec')
    .description('run a command in a host, a container or on the wire; its exit status is ours')
    .addOption(nameOption())
    .argument('<where>', 'h1, c1, wire')
    .argument('<command...>', 'after --')
    .action(async (where: string, words: string[], options: { name: string }) =>
      (await act()).exec(options.name, where, words),
    );

  lab
    .command('down')
    .description('remove the lab, also one that is half made')
    .addOption(nameOption())
    .action(async (options: { name: string }) => (await act()).down(options.name, tool));

  lab
    .command('demo')
    .description('a first look: three hosts come up, talk, and one dies; then all is cleaned up')
    .action(async () => (await import('./lab-demo.js')).runDemo(tool));
}

/** Loaded when a lab is asked for, not with every other command. */
function act() {
  return import('./lab-run.js');
}

function hostCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MOST_HOSTS) return count;
  throw new OptionError('--hosts', `--hosts takes a number from 1 to ${MOST_HOSTS}, not ${text}`);
}
