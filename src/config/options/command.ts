/** A table's options as commander's: to parse a command line, and to print its help. */
import type { Command } from 'commander';
import { commonJs } from '../../common-js.js';
import type { GivenFlags } from './read.js';
import type { OptionSpec, OptionTable } from './table.js';

const { Option } = commonJs('commander') as typeof import('commander');

/** Adds every option of the table; those without a help text work, and are not listed. */
export function addOptions(command: Command, table: OptionTable): Command {
  for (const spec of Object.values(table)) {
    const option = new Option(`--${spec.flag} <${spec.kind.placeholder || 'true|false'}>`, describe(spec));
    option.argParser((text, previous: readonly string[] = []) => [...previous, text]);
    command.addOption(option.helpGroup(`${spec.group}:`).hideHelp(spec.help === ''));
  }
  command.configureHelp({ optionTerm: (option) => option.flags.replace(' <true|false>', '') });
  return command;
}

/** The texts that commander collected for the options of the table, its parents' included. */
export function givenFlags(command: Command, table: OptionTable): GivenFlags {
  const collected = command.optsWithGlobals<Record<string, readonly string[] | undefined>>();
  const flags = new Map<string, readonly string[]>();
  for (const { flag } of Object.values(table)) {
    const texts = collected[new Option(`--${flag}`).attributeName()];
    if (texts) flags.set(flag, texts);
  }
  return flags;
}

function describe(spec: OptionSpec): string {
  const { initial } = spec;
  const untold = initial === undefined || initial === false || spec.secret || spec.help.includes('(default');
  return untold ? spec.help : `${spec.help} (default ${String(initial)})`;
}
