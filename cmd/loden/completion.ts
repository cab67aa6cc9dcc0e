import { Argument, type Command } from 'commander';
import { bashCompletion } from '../../src/completion/bash.js';
import { fishCompletion } from '../../src/completion/fish.js';
import { placeOfTable, placesOf } from '../../src/completion/place.js';
import { zshCompletion } from '../../src/completion/zsh.js';
import { DAEMON_OPTIONS } from '../../src/config/options/daemon.js';
import type { Tool } from './session.js';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** Comes last, as it tells of the commands that are there. */
export function addCompletionCommand(program: Command, { terminal }: Tool): void {
  program
    .command('completion')
    .description(
      'print a script that completes command lines of loden and lodend: source <(loden completion bash)',
    )
    .addArgument(new Argument('<shell>', 'yours').choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) => {
      const places = [...placesOf(program), placeOfTable('lodend', DAEMON_OPTIONS)];
      terminal.print(SCRIPTS[shell](['loden', 'lodend'], places).trimEnd());
    });
}
