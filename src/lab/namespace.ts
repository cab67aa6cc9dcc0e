/**
 * A network namespace as a machine: commands run in it see its links, routes and firewall, and the host's files.
 *
 * Entered with `nsenter --net`, because `ip netns exec` mounts a /sys of its own over the host's, which Docker and
 * systemd do not survive. Its price: /sys/class/net shows the host's links, so what runs inside has to ask netlink.
 */
import { readdir } from 'node:fs/promises';
import { execa } from 'execa';
import { LabError } from '../errors.js';
import { signalProcess } from './pid.js';

const DIRECTORY = '/run/netns';

export interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; 30 s when absent, so that no test hangs for ever. */
  readonly timeoutMs?: number;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Namespace {
  readonly name: string;

  /** A handle; does nothing yet. */
  constructor(name: string) {
    this.name = name;
  }

  /** Makes it, with its loopback up. Throws LabError when one of that name exists. */
  async create(): Promise<void> {
    await command(['ip', 'netns', 'add', this.name]);
    await this.ip('link set lo up');
  }

  /** Kills what runs in it, and removes it with its links. Does nothing when it is not there. */
  async delete(): Promise<void> {
    if (!(await this.exists())) return;
    for (const pid of await this.processes()) signalProcess(pid, 'SIGKILL');
    // A second `down` at the same time may have been faster.
    await command(['ip', 'netns', 'delete', this.name]).catch(async (error) => {
      if (await this.exists()) throw error;
    });
  }

  async exists(): Promise<boolean> {
    return (await namespaceNames()).includes(this.name);
  }

  /** The argument list that runs `words` inside. */
  inside(words: readonly string[]): string[] {
    return ['nsenter', `--net=${DIRECTORY}/${this.name}`, '--', ...words];
  }

  /** Runs a command to its end and returns its standard output, trimmed. Throws LabError when it fails. */
  async exec(words: readonly string[], options: CommandOptions = {}): Promise<string> {
    return command(this.inside(words), options);
  }

  /** Like `exec`, for those who want to see a failure. */
  async attempt(words: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return run(this.inside(words), options);
  }

  /** Runs lines of `ip` commands, each without the `ip`, in one process. Stops at the first that fails. */
  async ip(...lines: readonly string[]): Promise<string> {
    return this.exec(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
  }

  /** Sets a value below /proc/sys/net, `ipv4/ip_forward`. */
  async setSysctl(path: string, value: string): Promise<void> {
    await this.exec(['tee', `/proc/sys/net/${path}`], { input: value });
  }

  /** Ids of the processes whose network this is. */
  async processes(): Promise<number[]> {
    const { exitCode, stdout } = await run(['ip', 'netns', 'pids', this.name]);
    return exitCode === 0 ? stdout.split('\n').filter(Boolean).map(Number) : [];
  }
}

export async function namespaceNames(): Promise<string[]> {
  return readdir(DIRECTORY).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

/** Runs in the namespace of the caller. */
export async function command(words: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(words, options);
  if (result.exitCode === 0) return result.stdout;
  throw new LabError(`${words.join(' ')}: exit ${result.exitCode}: ${result.stderr || result.stdout}`);
}

async function run(words: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file, ...args] = words as [string, ...string[]];
  const result = await execa(file, args, {
    reject: false,
    timeout: options.timeoutMs ?? 30_000,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  options.signal?.throwIfAborted();
  const stderr = result.exitCode === undefined ? `${result.shortMessage}\n${result.stderr}` : result.stderr;
  return { exitCode: result.exitCode ?? -1, stdout: result.stdout.trimEnd(), stderr: stderr.trim() };
}
