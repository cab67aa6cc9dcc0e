/** A network namespace with a firewall, and daemons that keep it, for tests. All of it ends with the test's process. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import type { FirewallWish } from '../../src/firewall/firewall.js';
import { waitFor } from '../../src/lab/wait.js';

export interface KeptBy {
  readonly wish: FirewallWish;
  readonly resyncMs: number;
}

export type KeeperTold =
  | { readonly kind: 'look' }
  | { readonly kind: 'tried' }
  | { readonly kind: 'log'; readonly line: { readonly msg: string; readonly [field: string]: unknown } };

/** What `iptables` is. */
export type Flavour = 'nft' | 'legacy';

const HOUR_MS = 3_600_000;
const PROGRAMS = ['iptables', 'iptables-save', 'iptables-restore'];

export class FirewalledHost {
  readonly #holder: ChildProcess;
  readonly #programs: string;

  /** `none`: there is nft alone. */
  static async make(t: ExecutionContext, flavour: Flavour | 'none'): Promise<FirewalledHost> {
    const programs = await mkdtemp(join(tmpdir(), 'loden-programs-'));
    for (const program of flavour === 'none' ? [] : PROGRAMS) {
      const name = program.replace('iptables', `iptables-${flavour}`);
      await symlink(`/usr/sbin/${name}`, join(programs, program));
    }
    const hide =
      flavour === 'none' ? `cp /usr/sbin/nft ${programs} && mount --bind ${programs} /usr/sbin;` : '';
    // Ends with its input, and so with this process, however that ends.
    const holder = spawn('unshare', ['--net', '--mount', 'sh', '-ec', `${hide} echo; exec cat`], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    t.teardown(async () => {
      holder.kill('SIGKILL');
      await rm(programs, { recursive: true });
    });
    await once(holder.stdout!, 'data');
    return new FirewalledHost(holder, programs);
  }

  private constructor(holder: ChildProcess, programs: string) {
    this.#holder = holder;
    this.#programs = programs;
  }

  /** Runs a shell command in the namespace; what it printed. */
  async shell(command: string): Promise<string> {
    const { stdout } = await execa('nsenter', [...this.#inside, 'sh', '-ec', command], { env: this.#env });
    return stdout;
  }

  /** The rules that `iptables-save` or its like shows, without counters, comments and empty tables. */
  async rules(save = 'iptables-save'): Promise<string[]> {
    const lines = (await this.shell(save)).split('\n');
    let table = '';
    return lines.flatMap((line) => {
      if (line.startsWith('*')) table = line.slice(1);
      return line.startsWith('-A ') ? [`${table} ${line}`] : [];
    });
  }

  /** Waits until the rules are these, at most `deadlineMs`. */
  async untilRules(expected: readonly string[], deadlineMs: number, save?: string): Promise<void> {
    let rules: readonly string[] = [];
    const look = async () => {
      rules = await this.rules(save);
      return rules.join() === expected.join();
    };
    await waitFor('the rules', look, { deadlineMs, explain: () => rules.join('\n') });
  }

  /** Starts a daemon and waits until it has had its first look. */
  async keep(t: ExecutionContext, wish: FirewallWish, resyncMs = HOUR_MS): Promise<Keeper> {
    const input: KeptBy = { wish, resyncMs };
    const child = fork(
      fileURLToPath(new URL('./keeper-child.js', import.meta.url)),
      [JSON.stringify(input)],
      {
        execPath: 'nsenter',
        execArgv: [...this.#inside, process.execPath, '--enable-source-maps'],
        env: this.#env,
      },
    );
    t.teardown(() => child.kill('SIGKILL'));
    const keeper = new Keeper(child);
    await waitFor('first look', () => keeper.tried, { deadlineMs: 30_000 });
    return keeper;
  }

  get #inside(): string[] {
    return [`--target=${this.#holder.pid}`, '--net', '--mount', '--'];
  }

  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, PATH: `${this.#programs}:${process.env.PATH}` };
  }
}

export class Keeper {
  looks = 0;
  tried = false;
  readonly log: { readonly msg: string; readonly [field: string]: unknown }[] = [];
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (told: KeeperTold) => {
      if (told.kind === 'look') this.looks += 1;
      else if (told.kind === 'tried') this.tried = true;
      else this.log.push(told.line);
    });
  }

  /** As in a crash: what it made stays. */
  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
