import { lstat, readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parseAssignments } from '../../src/docker/assignments.js';
import { formatDockerOpts, routedElsewhere } from '../../src/docker/docker-opts.js';
import { CommandError, FileError } from '../../src/errors.js';
import { writeWhole } from '../../src/files/write-whole.js';
import { formatPrefix } from '../../src/net/prefix.js';
import type { Tool } from './session.js';

interface Flags {
  readonly f: string;
  readonly d: string;
  readonly i?: true;
  readonly c?: true;
  readonly m?: true;
  readonly k: string;
}

export function addDockerOptsCommand(program: Command, tool: Tool): void {
  program
    .command('docker-opts')
    .description(
      "write the leased subnet as dockerd's flags into a file of variables, as mk-docker-opts.sh does",
    )
    .option('-f <file>', 'the subnet file', '/run/flannel/subnet.env')
    .option('-d <file>', 'what to write', '/run/docker_opts.env')
    .option('-i', 'a variable for each option: DOCKER_OPT_BIP …')
    .option('-c', 'all options in one variable (default: both)')
    .option('-m', 'leave --ip-masq out')
    .option('-k <name>', 'of the one variable', 'DOCKER_OPTS')
    .action((flags: Flags) => dockerOpts(tool, flags));
}

async function dockerOpts({ environment }: Tool, flags: Flags): Promise<void> {
  const given = new Map(Object.entries(environment).map(([name, value]) => [name, value ?? '']));
  // A missing file is as good as an empty one: the unit that calls this may start before there is a lease.
  const text = await readFile(flags.f, 'utf8').catch(() => '');
  const variables = new Map([...given, ...parseAssignments(text, given)]);
  const { i: individual = false, c: combined = false, m: noMasquerade = false, k: key } = flags;
  const content = formatDockerOpts({ variables, individual, combined, ipMasq: !noMasquerade, key });
  await output(flags.d, content);
  const taken = routedElsewhere(variables, await readFile('/proc/net/route', 'utf8').catch(() => ''));
  if (taken !== undefined)
    throw new CommandError(`Your routing table already contains the subnet: ${formatPrefix(taken)}`);
}

/** Only a file, or nothing, may be replaced: what is a link or a device, such as /dev/stdout, is written to. */
async function output(path: string, content: string): Promise<void> {
  const present = await lstat(path).catch(() => undefined);
  if (present === undefined || present.isFile()) return writeWhole(path, content, 0o644);
  await writeFile(path, content).catch((cause: Error) => {
    throw new FileError(path, `cannot write ${path}: ${cause.message}`, { cause });
  });
}
