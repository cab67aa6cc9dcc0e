import { existsSync } from 'node:fs';
import { DockerError } from '../errors.js';
import type { EngineControl } from './engine.js';
import { splitWords } from './unit.js';

/** dockerd waits 15 s for its containers to end, and has more to do after that. */
const RESTART_MS = 120_000;

/** Restarts with a command, told apart into words without a shell. */
class CommandControl implements EngineControl {
  readonly how: string;

  constructor(how: string) {
    this.how = how;
  }

  async restart(signal: AbortSignal): Promise<void> {
    // Mostly there is no restart, and what comes before ready is not to wait for this.
    const { execa } = await import('execa');
    const [file, ...args] = splitWords(this.how) as [string, ...string[]];
    const options = { timeout: RESTART_MS, cancelSignal: signal, stdin: 'ignore', all: true } as const;
    const result = await execa(file, args, { ...options, reject: false });
    signal.throwIfAborted();
    if (result.failed) {
      const said = result.all.trim().split('\n').at(-1);
      throw new DockerError(`${this.how}: ${said || result.shortMessage}`);
    }
  }
}

/** Where there is nobody to ask. */
const BY_HAND: EngineControl = {
  how: 'by hand',
  restart: async () => {
    throw new DockerError(
      'there is no systemd here to restart Docker: restart it by hand, or set --docker-restart-command',
    );
  },
};

/** `command` when it is set; else through systemd, where that is what runs this machine (sd_booted(3)). */
export function engineControl(command: string | undefined): EngineControl {
  if (command) return new CommandControl(command);
  return existsSync('/run/systemd/system') ? new CommandControl('systemctl restart docker.service') : BY_HAND;
}
