/**
 * What may stand where on a command line, as data: the shells' scripts are made of it. A script holds all of it, so that
 * a press of Tab starts no program.
 */
import type { Command, Option } from 'commander';
import type { OptionTable } from '../config/options/table.js';

/** What follows a flag: one of these words, the name of a file, or something that only the user knows. */
export type Value = readonly string[] | 'file' | 'any';

export interface Flag {
  /** `--etcd-prefix` */
  readonly name: string;
  readonly help: string;
  /** Undefined for a flag that stands alone. */
  readonly value: Value | undefined;
}

export interface Word {
  readonly word: string;
  readonly help: string;
}

/** A program, or one of its commands. */
export interface Place {
  /** The words that lead there: `loden lab up`. */
  readonly path: string;
  /** Its commands, or the words that it takes as an argument. */
  readonly words: readonly Word[];
  /** It takes a file as an argument. */
  readonly takesFile: boolean;
  readonly flags: readonly Flag[];
}

/** A program of commander's and all its commands. */
export function placesOf(command: Command, parent = ''): Place[] {
  const path = `${parent} ${command.name()}`.trim();
  const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  const place: Place = {
    path,
    words: [
      ...command.commands.map((child) => ({ word: child.name(), help: child.description() })),
      ...choices.map((word) => ({ word, help: '' })),
    ],
    takesFile: command.registeredArguments.some((argument) => namesFile(argument.name())),
    flags: command
      .createHelp()
      .visibleOptions(command)
      .filter((option) => option.long)
      .map(flagOf),
  };
  return [place, ...command.commands.flatMap((child) => placesOf(child, path))];
}

function flagOf(option: Option): Flag {
  const placeholder = /[<[]([^\]>]*)/.exec(option.flags)?.[1];
  const value = placeholder === undefined ? undefined : valueAfter(placeholder, option.argChoices);
  return { name: option.long!, help: option.description, value };
}

/** A program whose options are a table of ours; those that the help leaves out are left out. */
export function placeOfTable(program: string, table: OptionTable): Place {
  const listed = Object.values(table).filter((spec) => spec.help !== '');
  const flags = listed.map(({ flag, help, kind }) => ({
    name: `--${flag}`,
    help,
    value: kind.placeholder === '' ? undefined : valueAfter(kind.placeholder, kind.choices),
  }));
  const asked = { name: '--help', help: 'print this', value: undefined };
  return { path: program, words: [], takesFile: false, flags: [...flags, asked] };
}

function valueAfter(placeholder: string, choices: readonly string[] | undefined): Value {
  return choices ?? (namesFile(placeholder) ? 'file' : 'any');
}

function namesFile(placeholder: string): boolean {
  return placeholder === 'file' || placeholder === 'dir';
}
