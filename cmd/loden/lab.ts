import { relative } from 'node:path';
import { type Command, Option } from 'commander';
import { execa } from 'execa';
import { LabError, OptionError } from '../../src/errors.js';
import { Lab } from '../../src/lab/lab.js';
import { namespaceNames } from '../../src/lab/namespace.js';
import { allReached } from '../../src/lab/ping.js';
import { labNamespace, readRecord } from '../../src/lab/record.js';
import { labStatus } from '../../src/lab/status.js';
import { takeDown } from '../../src/lab/take-down.js';
import { MOST_HOSTS } from '../../src/lab/wire.js';
import { runDemo } from './lab-demo.js';
import { formatStatus } from './lab-text.js';
import type { Tool } from './session.js';

interface StatusOptions {
  readonly name: string;
  readonly json?: true;
}

interface UpOptions {
  readonly name: string;
  readonly hosts: number;
  readonly backend: string;
  readonly network: string;
}

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
      new Option('--backend <type>', 'how packets travel').choices(['vxlan', 'host-gw']).default('vxlan'),
    )
    .option('--network <cidr>', 'the pool that subnets are leased from', '10.77.0.0/16')
    .action((options: UpOptions) => up(options, tool));

  lab
    .command('status')
    .description('show the hosts, and ping from each container to each other one')
    .addOption(nameOption())
    .option('--json', 'for programs')
    .action((options: StatusOptions) => status(options, tool));

  lab
    .command('exec')
    .description('run a command in a host (h1), a container (c1) or on the wire (wire)')
    .addOption(nameOption())
    .argument('<where>', 'h1, c1, wire')
    .argument('<command...>', 'after --')
    .action((where: string, words: string[], options: { name: string }) => exec(options.name, where, words));

  lab
    .command('down')
    .description('remove the lab, also one that is half made')
    .addOption(nameOption())
    .action((options: { name: string }) => down(options.name, tool));

  lab
    .command('demo')
    .description('a first look: three hosts come up, talk, and one dies; then all is cleaned up')
    .action(() => runDemo(tool));
}

async function up(options: UpOptions, { terminal, signal }: Tool): Promise<void> {
  const lab = await Lab.up({ ...options, signal, onStep: (step) => terminal.remark(step) });
  const flag = lab.name === 'lab' ? '' : ` --name ${lab.name}`;
  const loden = ownCommand();
  terminal.print(`The lab is up. What to do with it:
  ${loden} lab status${flag}
  ${loden} lab exec${flag} h1 -- ip route
  ${loden} lab exec${flag} wire -- ${loden} leases --etcd-endpoints ${lab.etcd.endpoint}
  ${loden} lab down${flag}`);
}

/** How the user called this program: installed, or out of a clone. */
function ownCommand(): string {
  const path = process.argv[1] ?? 'loden';
  return path.endsWith('.js') ? `node ${relative(process.cwd(), path)}` : 'loden';
}

async function status({ name, json }: StatusOptions, { terminal }: Tool): Promise<void> {
  const found = await labStatus(name);
  terminal.print(json ? JSON.stringify(found, undefined, 2) : formatStatus(found, terminal.paint));
  if (!allReached(found.pings)) process.exitCode = 1;
}

async function exec(name: string, where: string, words: readonly string[]): Promise<void> {
  const namespace = labNamespace(name, where);
  if (!(await namespaceNames()).includes(namespace.name)) {
    const { hosts } = await readRecord(name);
    const places = [...hosts.flatMap((host) => [host.name, host.container?.name ?? []].flat()), 'wire'];
    throw new LabError(`no ${where} in the lab ${name}; there is: ${places.join(', ')}`);
  }
  const [file, ...args] = namespace.inside(words);
  const { exitCode } = await execa(file!, args, { stdio: 'inherit', reject: false });
  process.exitCode = exitCode ?? 1;
}

async function down(name: string, { terminal }: Tool): Promise<void> {
  terminal.print((await takeDown(name)) ? `The lab ${name} is gone.` : `There was no lab ${name}.`);
}

function hostCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MOST_HOSTS) return count;
  throw new OptionError('--hosts', `--hosts takes a number from 1 to ${MOST_HOSTS}, not ${text}`);
}
