/** What the commands of `loden lab` do. */
import { relative } from 'node:path';
import { execa } from 'execa';
import { checkConfig } from '../../src/backend/checked-config.js';
import { LabError } from '../../src/errors.js';
import { Lab } from '../../src/lab/lab.js';
import { namespaceNames } from '../../src/lab/namespace.js';
import { networkConfig } from '../../src/lab/options.js';
import { allReached } from '../../src/lab/ping.js';
import { labNamespace, readRecord } from '../../src/lab/record.js';
import { labStatus } from '../../src/lab/status.js';
import { takeDown } from '../../src/lab/take-down.js';
import { formatStatus } from './lab-text.js';
import type { Tool } from './session.js';

export interface StatusOptions {
  readonly name: string;
  readonly json?: true;
}

export interface UpOptions {
  readonly name: string;
  readonly hosts: number;
  readonly backend: string;
  readonly network: string;
}

export async function up(options: UpOptions, { terminal, signal }: Tool): Promise<void> {
  // Else the first daemon says so, when all hosts are there.
  checkConfig(JSON.stringify(networkConfig(options)), "the lab's config");
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

export async function status({ name, json }: StatusOptions, { terminal }: Tool): Promise<void> {
  const found = await labStatus(name);
  terminal.print(json ? JSON.stringify(found) : formatStatus(found, terminal.paint));
  if (!allReached(found.pings)) process.exitCode = 1;
}

export async function exec(name: string, where: string, words: readonly string[]): Promise<void> {
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

export async function down(name: string, { terminal }: Tool): Promise<void> {
  terminal.print((await takeDown(name)) ? `The lab ${name} is gone.` : `There was no lab ${name}.`);
}
