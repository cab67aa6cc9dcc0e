import test from 'ava';
import fc from 'fast-check';
import type { BridgeSettings } from '../../src/docker/bridge.js';
import { type DaemonJsonEdit, editDaemonJson } from '../../src/docker/daemon-json.js';
import { type DockerFlag, findFlags } from '../../src/docker/flags.js';
import { parsePrefix } from '../../src/net/prefix.js';

const OURS = ['bip', 'mtu', 'ip-masq', 'allow-direct-routing'];

function settings(bip = '10.77.5.1/24', more: Partial<BridgeSettings> = {}): BridgeSettings {
  return { bip: parsePrefix(bip)!, mtu: 1450, ipMasq: false, ...more };
}

function changed(text: string | undefined, wanted = settings()): string {
  const edit = editDaemonJson(text, wanted);
  if (edit.kind !== 'changed') throw new Error(JSON.stringify(edit));
  return edit.text;
}

function refusal(edit: DaemonJsonEdit): string {
  if (edit.kind !== 'refused') throw new Error(JSON.stringify(edit));
  return edit.reason;
}

const members = `"bip": "10.77.5.1/24", "mtu": 1450, "ip-masq": false`;

/** What is there, and what becomes of it. */
const EDITS: readonly (readonly [title: string, before: string | undefined, after: string])[] = [
  ['no file', undefined, '{\n  "bip": "10.77.5.1/24",\n  "mtu": 1450,\n  "ip-masq": false\n}\n'],
  ['an empty file', ' \n', '{\n  "bip": "10.77.5.1/24",\n  "mtu": 1450,\n  "ip-masq": false\n}\n'],
  ['an empty object', '{}', '{\n  "bip": "10.77.5.1/24",\n  "mtu": 1450,\n  "ip-masq": false\n}'],
  ['one line', '{"debug": true}', `{"debug": true,${members.replaceAll(', ', ',')}}`],
  ['one line with blanks', '{ "x": {}, "debug": true }\n', `{ "x": {}, "debug": true, ${members} }\n`],
  [
    'tabs, and odd blanks in what is not ours',
    '{\n\t"dns" : [ "1.1.1.1",\n"2.2.2.2"]\n}\n',
    '{\n\t"dns" : [ "1.1.1.1",\n"2.2.2.2"],\n\t"bip": "10.77.5.1/24",\n\t"mtu": 1450,\n\t"ip-masq": false\n}\n',
  ],
  [
    'line ends of Windows',
    '{\r\n    "debug": true\r\n}\r\n',
    '{\r\n    "debug": true,\r\n    "bip": "10.77.5.1/24",\r\n    "mtu": 1450,\r\n    "ip-masq": false\r\n}\r\n',
  ],
  [
    'an empty object with line ends of Windows',
    '{\r\n}\r\n',
    `{\r\n  ${members.replaceAll(', ', ',\r\n  ')}\r\n}\r\n`,
  ],
  [
    'values of another lease, which change in their places',
    '{\n  "mtu":1500,\n  "log-level": "warn",\n  "bip"  :  "10.1.2.1/24",\n  "ip-masq": true\n}\n',
    '{\n  "mtu":1450,\n  "log-level": "warn",\n  "bip"  :  "10.77.5.1/24",\n  "ip-masq": false\n}\n',
  ],
  [
    'a member that is there twice, of which dockerd heeds the last',
    '{"bip": "10.0.0.1/24", "bip": "10.1.0.1/24", "mtu": 1450, "ip-masq": false}',
    '{"bip": "10.0.0.1/24", "bip": "10.77.5.1/24", "mtu": 1450, "ip-masq": false}',
  ],
  [
    'a name written with escapes',
    '{"b\\u0069p": "10.1.0.1/24", "mtu": 1450, "ip-masq": false}',
    '{"b\\u0069p": "10.77.5.1/24", "mtu": 1450, "ip-masq": false}',
  ],
];

for (const [title, before, after] of EDITS)
  test(`daemon.json gets the lease and stays as it was otherwise: ${title}`, (t) => {
    t.is(changed(before), after);
    t.deepEqual(editDaemonJson(after, settings()), { kind: 'unchanged' });
  });

test('an engine that lets packets be routed to its containers is told to', (t) => {
  const text = changed('{}', settings(undefined, { allowDirectRouting: true }));
  t.true(JSON.parse(text)['allow-direct-routing']);
  t.false('allow-direct-routing' in JSON.parse(changed('{}')));
});

test('of any document only our members change, in the order they had, and a second run changes nothing', (t) => {
  const names = fc.oneof(fc.string(), fc.constantFrom(...OURS, '__proto__', 'bridge', 'dns'));
  const objects = fc.dictionary(names, fc.jsonValue(), { noNullPrototype: true });
  const documents = fc.oneof({ weight: 9, arbitrary: objects }, { weight: 1, arbitrary: fc.jsonValue() });
  const layouts = fc.constantFrom(undefined, 1, 2, 4, '\t');
  const ends = fc.constantFrom('', '\n', ' \n\n');
  fc.assert(
    fc.property(documents, layouts, ends, fc.boolean(), (document, layout, end, windows) => {
      const written = JSON.stringify(document, undefined, layout) + end;
      const text = windows ? written.replaceAll('\n', '\r\n') : written;
      const edit = editDaemonJson(text, settings());
      if (edit.kind === 'refused')
        return !isPlainObject(document) || !['', null].includes((document.bridge ?? '') as string);
      const after = edit.kind === 'changed' ? edit.text : text;
      const wanted = { bip: '10.77.5.1/24', mtu: 1450, 'ip-masq': false, ...kept(JSON.parse(text)) };
      return (
        isPlainObject(document) &&
        JSON.stringify(entries(after, false)) === JSON.stringify(entries(text, false)) &&
        JSON.stringify(entries(after, true).toSorted()) ===
          JSON.stringify(Object.entries(wanted).toSorted()) &&
        after.endsWith(windows ? end.replaceAll('\n', '\r\n') : end) &&
        editDaemonJson(after, settings()).kind === 'unchanged'
      );
    }),
  );
  t.pass();
});

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function entries(text: string, ours: boolean): [string, unknown][] {
  return Object.entries(JSON.parse(text)).filter(([name]) => OURS.includes(name) === ours);
}

/** It is ours only where the engine has it. */
function kept(object: Record<string, unknown>) {
  const name = 'allow-direct-routing';
  return name in object ? { [name]: object[name] } : {};
}

test('what is added leaves every byte that was there in its place', (t) => {
  const objects = fc.dictionary(fc.string({ maxLength: 2 }), fc.jsonValue());
  fc.assert(
    fc.property(objects, fc.nat(8), (object, indent) => {
      const text = JSON.stringify(object, undefined, indent);
      return changed(text).startsWith(text.slice(0, -1).trimEnd());
    }),
  );
  t.pass();
});

const REFUSED: readonly (readonly [title: string, text: string, reason: RegExp])[] = [
  ['not JSON', '{"bip": }', /not JSON/],
  ['JSON with comments', '{} // mine', /not JSON/],
  ['a comma too many', '{"debug": true,}', /not JSON/],
  ['a byte order mark', '\uFEFF{}', /not JSON/],
  ['a list', '[]', /not an object/],
  [
    'lists in lists without measure',
    `{"a": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    /nested too deeply/,
  ],
  ['null', 'null', /not an object/],
  ['a bridge of its own', '{"bridge": "br0"}', /bridge br0 \(in the file\).*excludes bip/],
  ['no bridge at all', '{"bridge": "none"}', /excludes bip/],
  [
    'fixed-cidr elsewhere',
    '{"fixed-cidr": "10.1.2.0/25"}',
    /fixed-cidr 10\.1\.2\.0\/25 .*not inside.* 10\.77\.5\.0\/24/,
  ],
  ['fixed-cidr wider than the subnet', '{"fixed-cidr": "10.77.0.0/16"}', /not inside/],
  ['fixed-cidr that is no text', '{"fixed-cidr": 7}', /fixed-cidr 7/],
  ['default-gateway elsewhere', '{"default-gateway": "10.77.6.254"}', /default-gateway 10\.77\.6\.254/],
];

for (const [title, text, reason] of REFUSED)
  test(`daemon.json is refused with the reason: ${title}`, (t) => {
    t.regex(refusal(editDaemonJson(text, settings())), reason);
  });

test('what is inside the leased subnet, or empty, is no obstacle', (t) => {
  for (const text of [
    '{"fixed-cidr": "10.77.5.128/25", "default-gateway": "10.77.5.254"}',
    '{"bridge": "", "fixed-cidr": ""}',
  ])
    t.is(editDaemonJson(text, settings()).kind, 'changed');
});

test('a setting that dockerd gets as a flag too is refused, even an equal one, and the flag is named', (t) => {
  for (const flag of ['--bip=10.77.5.1/24', '--mtu=1450', '--ip-masq=false', '--ip-masq']) {
    const flags = findFlags([flag], 'DOCKER_OPTS in /etc/default/docker');
    const reason = refusal(editDaemonJson('{}', settings(), flags));
    t.true(reason.includes(flag.split('=')[0]!), reason);
    t.regex(reason, /DOCKER_OPTS in \/etc\/default\/docker.*remove the flag/);
  }
});

test('flags that exclude the lease are refused like members', (t) => {
  const refusalOf = (...words: string[]) =>
    refusal(editDaemonJson('{}', settings(), findFlags(words, 'here')));
  t.regex(refusalOf('-b', 'br0'), /bridge br0 \(here\)/);
  t.regex(refusalOf('--fixed-cidr', '10.1.0.0/24'), /fixed-cidr 10\.1\.0\.0\/24 \(here\)/);
});

test('what is a flag already, and may be, is not written as well', (t) => {
  const flags: DockerFlag[] = [{ name: 'allow-direct-routing', value: 'true', source: 'here' }];
  const edit = editDaemonJson('{}', settings(undefined, { allowDirectRouting: true }), flags);
  t.false(edit.kind === 'changed' && edit.text.includes('allow-direct-routing'));
});

test('an address that dockerd would not take for its bridge is refused', (t) => {
  for (const [bip, reason] of [
    ['10.77.5.1/31', /no address for a container/],
    ['10.77.5.0/24', /the subnet itself/],
    ['10.77.5.255/24', /broadcast/],
  ] as const)
    t.regex(refusal(editDaemonJson('{}', settings(bip))), reason);
});
