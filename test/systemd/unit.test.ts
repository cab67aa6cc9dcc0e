/** What systemd's own tools say of the files, and what the environment file promises. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { DAEMON_OPTIONS } from '../../src/config/options/daemon.js';
import { type OptionSpec, variablesOf } from '../../src/config/options/table.js';
import { fitService } from '../../src/systemd/service.js';

const CONTRIB = fileURLToPath(new URL('../../../contrib/', import.meta.url));
const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
const withSystemd = hasAnalyze ? test : test.skip;

const folder = mkdtempSync(join(tmpdir(), 'loden-unit-'));
const unit = join(folder, 'lodend.service');
test.before(() => {
  const paths = { node: process.execPath, lodend: '/usr/lib/node_modules/loden/dist/cmd/lodend.js' };
  writeFileSync(unit, fitService(readFileSync(join(CONTRIB, 'systemd/lodend.service'), 'utf8'), paths).text);
});
test.after.always(() => rmSync(folder, { recursive: true }));

function analyze(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

withSystemd('systemd has nothing to say against the unit', (t) => {
  // It returns 0 for a setting that it does not know, and says so.
  t.deepEqual(analyze('verify', unit), { status: 0, stdout: '', stderr: '' });
});

withSystemd('systemd rates the exposure of the unit at 2.5 or less', (t) => {
  const { status, stdout } = analyze('security', '--offline=true', '--threshold=25', '--no-pager', unit);
  t.is(status, 0, stdout);
});

test('Docker neither waits for ever for the unit nor goes down with it', (t) => {
  const text = readFileSync(unit, 'utf8');
  t.regex(text, /^Before=docker\.service$/m);
  t.regex(text, /^JobRunningTimeoutSec=\d+s$/m);
  t.regex(text, /^WantedBy=.*\bdocker\.service\b/m);
  t.notRegex(text, /^(RequiredBy|BindsTo|PartOf|PropagatesStopTo)=/m);
});

interface Line {
  readonly variable: string;
  readonly value: string;
  readonly commented: boolean;
}

function linesOf(file: string): Line[] {
  return [...readFileSync(file, 'utf8').matchAll(/^(#?)([A-Z][A-Z_]*)=(.*)$/gm)].map((match) => ({
    commented: match[1] === '#',
    variable: match[2]!,
    value: match[3]!,
  }));
}

/** Our own variable of each option that has an effect, with the default. */
const specs: readonly OptionSpec[] = Object.values(DAEMON_OPTIONS);
const defaults = new Map(
  specs
    .filter((spec) => spec.ignored === undefined && !spec.commandLineOnly)
    .map((spec) => [variablesOf(spec)[0]!, String(spec.initial ?? '')]),
);
const environment = linesOf(join(CONTRIB, 'systemd/lodend.env'));

test('the environment file has every option once, and no other', (t) => {
  const variables = environment.map(({ variable }) => variable);
  t.deepEqual(
    [...defaults.keys()].filter((variable) => !variables.includes(variable)),
    [],
  );
  t.deepEqual(
    variables.filter((variable) => !defaults.has(variable)),
    [],
  );
  t.is(new Set(variables).size, variables.length);
});

test('the environment file has the defaults as comments, and sets what Docker is to follow', (t) => {
  for (const { variable, value, commented } of environment) {
    if (commented) t.is(value, String(defaults.get(variable)), variable);
  }
  const set = environment.filter(({ commented }) => !commented);
  t.deepEqual(
    set.map(({ variable, value }) => `${variable}=${value}`),
    ['LODEND_DOCKER=write'],
  );
});
