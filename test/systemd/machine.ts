/**
 * A machine with a real systemd as its PID 1, on an overlay of this machine's root, in a network namespace. It boots in
 * less than a second, enforces what units ask for, and is gone with its first process.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type CommandOptions, command, type Namespace } from '../../src/lab/namespace.js';
import { Process } from '../../src/lab/process.js';
import { waitFor } from '../../src/lab/wait.js';

/** Of the repository; the compiled file is in dist/test/systemd. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Where a machine has this package: out of the way of PrivateTmp= and ProtectHome=. */
export const PACKAGE = '/opt/loden';

/** Why no machine can boot here; undefined when one can. */
export function whyNoMachine(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync('/lib/systemd/systemd')) return 'no systemd';
  return unifiedCgroups() === undefined ? 'no cgroup2' : undefined;
}

/** Where cgroup2 is mounted: alone, or beside the old controllers. */
function unifiedCgroups(): string | undefined {
  return ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) => existsSync(`${path}/cgroup.procs`));
}

interface MachineOptions {
  readonly namespace: Namespace;
  /** For its boot log. */
  readonly directory: string;
}

export class Machine {
  readonly #launcher: Process;
  readonly #pid1: number;
  readonly #cgroup: string;

  /** Resolves when systemd has reached its default target, also if some of its units failed. */
  static async boot({ namespace, directory }: MachineOptions): Promise<Machine> {
    const cgroup = join(unifiedCgroups()!, namespace.name);
    await mkdir(cgroup);
    const modules = await realpath(join(ROOT, 'node_modules'));
    const shared = [`${ROOT}:${PACKAGE}`, `${modules}:${modules}`];
    const launcher = await Process.start({
      namespace,
      logFile: join(directory, 'boot.log'),
      words: ['bash', join(ROOT, 'test/systemd/boot.sh'), cgroup, ...shared],
    });
    const explain = () => launcher.log();
    try {
      const pid1 = await waitFor('a first process', () => childOf(launcher.pid), { explain });
      const machine = new Machine(launcher, pid1, cgroup);
      const booted = async () => {
        if (launcher.exit) throw new Error(`the machine did not boot:\n${await launcher.log()}`);
        const { stdout } = await machine.attempt(['systemctl', 'is-system-running']);
        return /^(running|degraded)$/.test(stdout);
      };
      await waitFor('systemd to be up', booted, { deadlineMs: 30_000, explain });
      return machine;
    } catch (error) {
      await powerOff(launcher, cgroup);
      throw error;
    }
  }

  private constructor(launcher: Process, pid1: number, cgroup: string) {
    this.#launcher = launcher;
    this.#pid1 = pid1;
    this.#cgroup = cgroup;
  }

  /** A path in the machine as a path here. */
  path(inside: string): string {
    return `/proc/${this.#pid1}/root${inside}`;
  }

  /** Writes a file, its folders included. */
  async write(inside: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(inside)), { recursive: true });
    await writeFile(this.path(inside), text);
  }

  async read(inside: string): Promise<string> {
    return readFile(this.path(inside), 'utf8');
  }

  /** Runs a command to its end and returns what it printed. Throws LabError when it fails. */
  async exec(words: readonly string[], options?: CommandOptions): Promise<string> {
    return command(this.#inside(words), options);
  }

  /** Like `exec`, for those who want to see a failure. */
  async attempt(words: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const [file, ...args] = this.#inside(words) as [string, ...string[]];
    const { exitCode = -1, stdout, stderr } = await execa(file, args, { reject: false, timeout: 30_000 });
    return { exitCode, stdout, stderr };
  }

  /** A property of a unit, as `systemctl show` gives it. */
  async property(unit: string, name: string): Promise<string> {
    return this.exec(['systemctl', 'show', '--value', '-p', name, unit]);
  }

  async journal(unit: string): Promise<string> {
    return this.exec(['journalctl', '--no-pager', '-o', 'short-monotonic', '-u', unit]);
  }

  /** As when the power fails. */
  async powerOff(): Promise<void> {
    await powerOff(this.#launcher, this.#cgroup);
  }

  #inside(words: readonly string[]): string[] {
    return ['nsenter', '--all', `--target=${this.#pid1}`, '--', ...words];
  }
}

async function childOf(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return Number(children.split(' ')[0]) || undefined;
}

async function powerOff(launcher: Process, cgroup: string): Promise<void> {
  await launcher.kill();
  const removed = () =>
    removeCgroup(cgroup).then(
      () => true,
      () => false,
    );
  await waitFor(`an end of all processes in ${cgroup}`, removed);
}

/** Deepest first; the kernel refuses while a process is left. */
async function removeCgroup(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true }))
    if (entry.isDirectory()) await removeCgroup(join(path, entry.name));
  await rmdir(path);
}
