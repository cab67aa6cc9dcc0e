/** The table of log lines is whole: what the daemon says from `info` up has its row, and nothing else has. */
import { readdirSync } from 'node:fs';
import test from 'ava';
import { ROOT, read, section } from './blocks.js';

/** Said by a log call with a text of another file. */
const ELSEWHERE = ['using interface …'];
/** Only for a defect, with its stack. */
const DEFECT = 'lodend ends';

const files = [
  'cmd/lodend.ts',
  ...['src/agent', 'src/docker', 'src/lease'].flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  ),
];

const said = files.flatMap((file) =>
  [
    ...read(file).matchAll(/log\.(?:info|warn|error)\(\s*(?:(?:\{[^}]*\}|\w+),\s*)?['`](.+?)['`][,)\s]/gs),
  ].map((match) => match[1]!.replace(/\$\{.*?\}/g, '…')),
);

test('every log line is explained, and every one that is explained exists', (t) => {
  const reason = /waiting for …/;
  const listed = [...section('docs/operate.md', 'Log lines').matchAll(/^\| `(.+?)` \|/gm)].map(
    (match) => match[1]!,
  );
  const spelt = said.filter((line) => !reason.test(line) || line.startsWith('no longer'));
  t.true(spelt.length > 15);
  t.deepEqual(
    listed.filter((line) => !line.startsWith('waiting for ')).toSorted(),
    [...spelt, ...ELSEWHERE].filter((line) => line !== DEFECT).toSorted(),
  );
  const agent = files.map(read).join();
  for (const line of listed.filter((row) => row.startsWith('waiting for ')))
    t.true(agent.includes(`waitingFor: '${line.slice('waiting for '.length)}'`), line);
});
