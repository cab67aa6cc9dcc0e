/** What the pages say of the repository is so: links, the walk through a backend, decisions, dependencies, the tree. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { hostgw } from '../../src/backend/hostgw/hostgw.js';
import { BACKEND_PAGES, exists, PAGES, ROOT, read, section } from './blocks.js';

/** As GitHub makes them of headings. */
function anchors(page: string): string[] {
  const headings = [...read(page).matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

function inCode(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
}

test('links between the pages lead somewhere', (t) => {
  let links = 0;
  for (const page of [...PAGES, ...BACKEND_PAGES]) {
    for (const [, target] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [path = '', anchor] = target!.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      t.true(exists(file), `${page}: ${target}`);
      if (anchor) t.true(anchors(file).includes(anchor), `${page}: ${target}`);
      links += 1;
    }
  }
  t.true(links > 50);
});

test('the walk through a backend names the files and the members that there are', (t) => {
  const walk = section('CONTRIBUTING.md', 'Adding a backend');
  const files = inCode(walk).filter((code) => /^(src|test|cmd)\/.*\.(ts|md)$/.test(code));
  t.true(files.length > 8);
  for (const file of files) t.true(exists(file), file);
  const folder = readdirSync(join(ROOT, 'src/backend/hostgw')).map((name) => `src/backend/hostgw/${name}`);
  t.deepEqual(files.filter((file) => file.startsWith('src/backend/hostgw/')).toSorted(), folder.toSorted());

  const [, ...rows] = /^\| Member .*?(?=\n\n)/ms.exec(walk)![0].split('\n').slice(1);
  t.deepEqual(
    rows.map((row) => inCode(row)[0]),
    Object.keys(hostgw),
  );
  t.regex(read('src/backend/registry.ts'), /^const backends: .*\bhostgw\b.*;$/m);
});

test('the table of tests names folders that there are', (t) => {
  const listed = inCode(section('CONTRIBUTING.md', 'Test')).filter((code) => /^test\/[\w./]+$/.test(code));
  t.true(listed.length > 10);
  for (const path of listed) t.true(exists(path), path);
});

test('the page of dependencies names those of package.json, and no others', (t) => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, object>;
  const listed = (title: string) =>
    [...section('docs/dependencies.md', title).matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]!);
  t.deepEqual(listed('At run time').toSorted(), Object.keys(dependencies!).toSorted());
  t.deepEqual(listed('To build and test').toSorted(), Object.keys(devDependencies!).toSorted());
});

test('dependencies are pinned to exact versions', (t) => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    string,
    Record<string, string>
  >;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    t.regex(version, /^\d+\.\d+\.\d+$/, name);
});

test('the list of decisions has each page, in order, with its title', (t) => {
  const pages = readdirSync(join(ROOT, 'docs/adr'))
    .filter((name) => /^\d/.test(name))
    .sort();
  const listed = [...read('docs/adr/README.md').matchAll(/^(\d+)\. \[(.+)\]\((.+)\)$/gm)];
  t.deepEqual(
    listed.map(([, number, title, file]) => [file, `# ${number}. ${title}`]),
    pages.map((name) => [name, read(`docs/adr/${name}`).split('\n')[0]]),
  );
});

test('a page of a decision is at most a page long', (t) => {
  for (const page of PAGES.filter((path) => /adr\/\d/.test(path)))
    t.true(read(page).split('\n').length <= 40, page);
});

test('the tree on the page of the architecture is the tree', (t) => {
  const listed = [...section('docs/architecture.md', 'The tree').matchAll(/^\| `([\w/]+)\/`/gm)].map(
    (match) => match[1]!,
  );
  const folders = (path: string) =>
    readdirSync(join(ROOT, path), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${path}/${name}`);
  const expected = [...folders('src'), ...folders('src/agent')].toSorted();
  t.deepEqual(listed.filter((path) => path.startsWith('src/')).toSorted(), expected);
  for (const path of listed) t.true(exists(path), path);
});

test("every backend has its row among the config's backends, and its link in the README", (t) => {
  for (const page of BACKEND_PAGES) {
    t.true(section('docs/configure.md', "The network's config").includes(`(../${page})`), page);
    t.true(read('README.md').includes(`(${page})`), page);
  }
});
