/** The reference of the daemon's flags says what the options table says. */
import test from 'ava';
import { DAEMON_OPTIONS } from '../../src/config/options/daemon.js';
import { FLANNEL_ONLY_OPTIONS } from '../../src/config/options/flannel-only.js';
import { type OptionSpec, variablesOf } from '../../src/config/options/table.js';
import { read, section } from './blocks.js';

const text = section('docs/configure.md', "The daemon's flags");

const effective = Object.values<OptionSpec>(DAEMON_OPTIONS).filter(({ ignored }) => ignored === undefined);

interface Row {
  readonly flag: string;
  readonly initial: string;
  readonly variables: readonly string[];
}

const rows: readonly Row[] = [
  ...text.matchAll(/^\| `--([\w-]+)` \| (?:`([^`]*)` )?\| (.*?) ?\| (.+) \|$/gm),
].map(([, flag, initial = '', variables]) => ({
  flag: flag!,
  initial,
  variables: [...variables!.matchAll(/`(\w+)`/g)].map((match) => match[1]!),
}));

test('every flag has its row, in the order of the help, with its default and its variables', (t) => {
  t.deepEqual(
    rows,
    effective.map((spec) => ({
      flag: spec.flag,
      initial: spec.initial === undefined ? '' : String(spec.initial),
      variables: variablesOf(spec),
    })),
  );
});

test('every flag that has no effect is listed', (t) => {
  const listed = /without effect.*?\.\n/s.exec(text)?.[0] ?? '';
  t.deepEqual(
    [...listed.matchAll(/`--([\w-]+)`/g)].map((match) => match[1]!),
    Object.values<OptionSpec>(FLANNEL_ONLY_OPTIONS).map(({ flag }) => flag),
  );
  t.true(read('docs/configure.md').includes('--kube-subnet-mgr=true'));
});
