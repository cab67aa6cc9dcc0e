/**
 * A machine for the commands of a page: a host of a lab, with the real files below copies of its own.
 *
 *     network   the host's namespace
 *     /etc, /var/lib, /usr/local     overlays: what is written there is gone with the machine; without the identity of a
 *                                    loden on the tester's own
 *     /run      empty: another machine's labs, subnet files and sockets are not in sight
 *     ~         the folder the commands run in; `loden` in it is this clone
 *
 * All of it hangs on one process that sleeps in these namespaces.
 */
import { mkdir, readdir, readlink } from 'node:fs/promises';
import { execa } from 'execa';
import type { LabHost } from '../../src/lab/host.js';
import { signalProcess } from '../../src/lab/pid.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';
import { WIRE_ADDRESS } from '../../src/lab/wire.js';
import { ROOT } from './blocks.js';

const HOME = '/run/home';
/** What the tester has set for daemons is not for those on the pages. */
const FORGET = 'unset $(compgen -v | grep -E "^(LODEND|FLANNELD)_")';
const ENVIRONMENT = '/run/environment';
/** The demo takes the longest. */
const COMMAND_MS = 90_000;

/** $1: where etcd is, $2: this clone. */
const SET_UP = `set -eu
mount -t tmpfs tmpfs /run
for lower in /etc /var/lib /usr/local; do
  mkdir -p /run/over$lower/upper /run/over$lower/work
  mount -t overlay overlay -o lowerdir=$lower,upperdir=/run/over$lower/upper,workdir=/run/over$lower/work $lower
done
rm -rf /var/lib/loden
echo "$1 etcd.example" >>/etc/hosts
mkdir -p ${HOME}
ln -s "$2" ${HOME}/loden
for program in loden lodend; do ln -sf "$2dist/cmd/$program.js" /usr/local/bin/$program; done
echo set up
exec sleep infinity`;

export interface Ran {
  readonly exitCode: number;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

export class Machine {
  readonly #holder: Process;
  readonly #folder: string;
  /** Names the mount namespace, and by it the processes that run here. */
  readonly #mounts: string;
  #daemons = 0;
  #daemon: Process | undefined;

  private constructor(holder: Process, folder: string, mounts: string) {
    this.#holder = holder;
    this.#folder = folder;
    this.#mounts = mounts;
  }

  static async start(host: LabHost): Promise<Machine> {
    await mkdir(host.directory, { recursive: true });
    const holder = await Process.start({
      namespace: host.namespace,
      logFile: `${host.directory}/machine.log`,
      words: [
        'unshare',
        '--mount',
        '--propagation=private',
        'bash',
        '-c',
        SET_UP,
        'bash',
        WIRE_ADDRESS,
        ROOT,
      ],
    });
    await waitFor('a machine for the page', async () => (await holder.log()).includes('set up'), {
      explain: () => holder.log(),
    });
    const mounts = await mountNamespace(holder.pid);
    if (mounts === undefined || mounts === (await mountNamespace(process.pid)))
      throw new Error('the machine has no mount namespace of its own');
    return new Machine(holder, host.directory, mounts);
  }

  /** As typed into one terminal after all that came before: what was exported stays so. */
  async run(script: string, input = ''): Promise<Ran> {
    const [file, ...args] = this.#words(`trap 'export -p >${ENVIRONMENT}' EXIT\n${script}`);
    const options = { all: true, reject: false, timeout: COMMAND_MS, input } as const;
    const { exitCode, all } = await execa(file!, args, options);
    return { exitCode: exitCode ?? -1, output: all };
  }

  /** A path is taken from the folder where the commands run. */
  async write(path: string, text: string): Promise<void> {
    const { exitCode, output } = await this.run(`mkdir -p "$(dirname ${path})"\ncat >${path}`, text);
    if (exitCode !== 0) throw new Error(`cannot write ${path}: ${output}`);
  }

  /** Starts a daemon in place of the one before, and waits until it is ready. Returns its log. */
  async startDaemon(script: string): Promise<string> {
    await this.stopDaemon();
    this.#daemons += 1;
    const logFile = `${this.#folder}/daemon-${this.#daemons}.log`;
    const daemon = await Process.start({ words: this.#words(`exec ${script}`), logFile });
    this.#daemon = daemon;
    const ready = async () => daemon.exit !== undefined || / ready( |$)/m.test(await daemon.log());
    await waitFor('the daemon to be ready', ready, { deadlineMs: 30_000, explain: () => daemon.log() });
    return daemon.log();
  }

  async stopDaemon(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = undefined;
  }

  /** Ends all that runs on it, what a page started and did not end included: a lab in the lab. */
  async stop(): Promise<void> {
    await this.stopDaemon();
    for (const pid of (await readdir('/proc')).map(Number).filter((number) => number > 0))
      if ((await mountNamespace(pid)) === this.#mounts) signalProcess(pid, 'SIGKILL');
  }

  #words(script: string): string[] {
    const target = ['nsenter', `--target=${this.#holder.pid}`, '--net', '--mount'];
    const prepared = `${FORGET}\ncd ${HOME}\n[ ! -e ${ENVIRONMENT} ] || . ${ENVIRONMENT}\nset -e\n${script}`;
    return [...target, 'bash', '-c', prepared];
  }
}

/** Undefined when the process is gone. */
async function mountNamespace(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/mnt`).catch(() => undefined);
}
