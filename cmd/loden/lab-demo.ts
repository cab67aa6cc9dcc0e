/**
 * The newcomer's first look, told in steps. Each step shows what the tools say (`loden leases`, `ip route`) and then
 * checks that it is so: what does not come true is an error, and the demo's exit code 1.
 */
import { LabError } from '../../src/errors.js';
import type { LabHost } from '../../src/lab/host.js';
import { Lab } from '../../src/lab/lab.js';
import { allReached, ping } from '../../src/lab/ping.js';
import { sweep } from '../../src/lab/sweep.js';
import { takeDown } from '../../src/lab/take-down.js';
import { waitFor } from '../../src/lab/wait.js';
import type { Terminal } from '../../src/terminal/terminal.js';
import { formatMatrix } from './lab-text.js';
import type { Tool } from './session.js';

/** Throws LabError when something did not come true, and the signal's reason when that was aborted. */
export async function runDemo({ terminal, signal }: Tool): Promise<void> {
  const story = new Story(terminal);
  const name = `demo-${process.pid}`;
  await sweep();
  try {
    const lab = await bringUp(name, story, signal);
    await showLeases(lab, story);
    await showKernel(lab.host('h1'), story);
    await showPings(lab, story);
    signal.throwIfAborted();
    await loseHost(lab, story);
  } finally {
    story.step('Cleaning up: processes, namespaces, files');
    await takeDown(name);
  }
  story.end();
}

async function bringUp(name: string, story: Story, signal: AbortSignal): Promise<Lab> {
  story.step('Three hosts come up, each a network namespace of its own');
  return Lab.up({ name, hosts: 3, backend: 'vxlan', signal, onStep: (step) => story.tell(step) });
}

async function showLeases(lab: Lab, story: Story): Promise<void> {
  story.step('Each has leased a subnet from etcd');
  story.show('loden leases', await lab.loden('leases'));
}

async function showKernel(host: LabHost, story: Story): Promise<void> {
  story.step(`What lodend made of that in the kernel of ${host.name}`);
  for (const line of [
    'ip route show proto 76',
    'ip neighbour show dev flannel.1 nud permanent',
    'bridge fdb show dev flannel.1',
  ])
    story.show(line, await host.exec(line.split(' ')));
}

async function showPings(lab: Lab, story: Story): Promise<void> {
  story.step('Every container pings every other');
  await lab.untilAllReach();
  const matrix = await lab.pingAll();
  story.tell(formatMatrix(matrix, story.terminal.paint));
  if (!allReached(matrix)) throw new LabError('not every container reaches every other');
}

async function loseHost(lab: Lab, story: Story): Promise<void> {
  const [first, second, lost] = lab.hosts as [LabHost, LabHost, LabHost];
  const container = lost.container!;
  const subnet = container.address.replace(/\d+$/, '0/24');
  story.step(`${lost.name} loses its power, and an operator releases its lease`);
  await lab.removeHost(lost);
  const release = ['leases', 'release', subnet, '--yes'];
  story.show(`loden ${release.join(' ')}`, await lab.loden(...release));
  for (const host of [first, second]) {
    await waitFor(
      `the route to ${subnet} goes from ${host.name}`,
      async () => !(await host.ip(`route show ${subnet}`)),
    );
    story.tell(`${host.name} has no route to ${subnet} any more`);
  }
  const answers = await ping(first.container!.namespace, container.address, 1);
  if (answers.received > 0) throw new LabError(`${container.address} still answers`);
  story.show('loden leases', await lab.loden('leases'));
  await lab.untilAllReach();
  story.tell(`${first.name} and ${second.name} go on as before`);
}

/** Numbered steps, in at most 80 columns. */
class Story {
  readonly terminal: Terminal;
  readonly #began = performance.now();
  #steps = 0;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  step(title: string): void {
    this.#steps += 1;
    this.terminal.print(`\n${this.terminal.paint(`${this.#steps}. ${title}`, 'bold')}`);
  }

  tell(text: string): void {
    this.terminal.print(text.replace(/^(?=.)/gm, '   '));
  }

  /** A command and what it printed. */
  show(command: string, output: string): void {
    this.tell(`${this.terminal.paint('$', 'dim')} ${command}`);
    if (output !== '') this.tell(output.replace(/ +$/gm, ''));
  }

  end(): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1);
    this.terminal.print(`\n${this.terminal.paint(`All of it came true, in ${seconds} s.`, 'green')}`);
  }
}
