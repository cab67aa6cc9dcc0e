/** The network configs on the pages are such as the daemon takes, and the reference of them is whole. */
import test from 'ava';
import { checkConfig } from '../../src/backend/checked-config.js';
import { parseNetworkConfig } from '../../src/config/network.js';
import { blocksOf, PAGES, section } from './blocks.js';

const PAGE = 'docs/configure.md';

const configs = PAGES.flatMap(blocksOf).filter(({ tags }) => tags.includes('config'));

test('there are configs on the pages', (t) => {
  t.true(configs.length > 3);
});

test('every config on the pages is taken without a warning', (t) => {
  for (const { place, text } of configs) {
    t.notThrows(() => checkConfig(text, place), place);
    t.deepEqual(checkConfig(text, place).warnings, [], place);
  }
});

test('JSON on the pages is a config, or a file that a command reads', (t) => {
  const idle = PAGES.flatMap(blocksOf).filter(
    ({ language, tags }) =>
      language === 'json' && !tags.some((tag) => tag === 'config' || tag.startsWith('file=')),
  );
  t.deepEqual(
    idle.map(({ place }) => place),
    [],
  );
});

test("the page lists the network config's fields, and no others", (t) => {
  const listed = fields(section(PAGE, "The network's config"));
  // A field that nobody asks for is warned of; Backend's own are read elsewhere.
  const all = Object.fromEntries([...listed, 'NoSuchField'].map((name) => [name, null]));
  const text = JSON.stringify({ ...all, Network: '10.5.0.0/16', Backend: { Type: 'vxlan' } });
  const { warnings } = parseNetworkConfig(text, PAGE);
  t.deepEqual(warnings.length, 1);
  t.regex(warnings[0]!, /^NoSuchField /);
  t.is(listed.length, 12);
});

/** First columns of the table that begins with `| Field`. */
function fields(text: string): string[] {
  const table = /^\| Field .*?(?=\n\n)/ms.exec(text)?.[0] ?? '';
  return [...table.matchAll(/^\| `(\w+)` /gm)].map((match) => match[1]!);
}
