/**
 * Go's flag syntax, which flanneld's users have in their unit files, brought into one form: `--name=value`.
 *
 *     -iface eth0   --iface eth0   -iface=eth0   --iface=eth0   -ip-masq (a boolean: true)   --ip-masq=false
 *
 * Unlike Go's package, what is no flag is an error, not the silent end of the flags: `--ip-masq true --iface eth0`
 * would otherwise lose the interface.
 */
import { OptionError } from '../../errors.js';
import { nearest } from '../nearest.js';
import { bool } from './kinds.js';
import type { OptionSpec } from './table.js';

const HELP = new Set(['h', 'help']);

/** Throws OptionError. Help that was asked for, in any of Go's forms, comes out as `--help`. */
export function normaliseGoFlags(argv: readonly string[], specs: readonly OptionSpec[]): string[] {
  const byFlag = new Map(specs.map((spec) => [spec.flag, spec]));
  const normal: string[] = [];
  const rest = [...argv];
  let last: OptionSpec | undefined;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, flag, value] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word) ?? refuseWord(word, last);
    if (HELP.has(flag!)) {
      normal.push('--help');
      continue;
    }
    const spec = byFlag.get(flag!) ?? refuseFlag(flag!, byFlag.keys());
    const given = value ?? (spec.kind === bool ? 'true' : rest.shift());
    if (given === undefined)
      throw new OptionError(`--${flag}`, `--${flag} needs a value: ${spec.kind.accepts}`);
    normal.push(`--${flag}=${given}`);
    last = spec;
  }
  return normal;
}

function refuseWord(word: string, last: OptionSpec | undefined): never {
  // What follows a = may be a secret whose dashes were forgotten, and what follows a secret the rest of it.
  const shown = last?.secret ? '…' : word.replace(/=.*/s, '=…');
  throw new OptionError(
    shown,
    `unexpected argument "${shown}": options begin with a dash, and a boolean takes its value with =, as in --ip-masq=true`,
  );
}

function refuseFlag(word: string, known: Iterable<string>): never {
  const flag = word.replace(/[^\w.-].*/s, '…');
  const meant = nearest(flag, known);
  const hint = meant ? `did you mean --${meant}?` : 'see --help';
  throw new OptionError(`--${flag}`, `unknown option --${flag}; ${hint}`);
}
