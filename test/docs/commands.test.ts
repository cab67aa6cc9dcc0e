/** The commands on the pages are run, in order, on a host of a lab, and print what the page shows. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { ETCD_PREFIX } from '../../src/lab/etcd-service.js';
import { Lab } from '../../src/lab/lab.js';
import type { LabOptions } from '../../src/lab/options.js';
import { waitFor } from '../../src/lab/wait.js';
import { type Block, blocksOf, PAGES, read, tagValue } from './blocks.js';
import { Machine } from './machine.js';
import { PREPARATIONS } from './preparations.js';
import { sameShape } from './shape.js';

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;

/** What a page's commands find when they begin: hosts without daemons, and an etcd without a key. */
const EMPTY: LabOptions = { hosts: 2, daemon: false };

const pages = PAGES.filter((page) => blocksOf(page).some(isRun));

function isRun({ tags }: Block): boolean {
  return tags.includes('run') || tags.includes('daemon');
}

class Walk {
  readonly #lab: Lab;
  readonly #machines = new Map<string, Machine>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async machine(name: string): Promise<Machine> {
    const known = this.#machines.get(name);
    if (known) return known;
    const machine = await Machine.start(this.#lab.host(name));
    this.#machines.set(name, machine);
    return machine;
  }

  async end(): Promise<void> {
    for (const machine of this.#machines.values()) await machine.stop();
  }

  async take(t: ExecutionContext, block: Block, shown: string | undefined): Promise<void> {
    const machine = await this.machine(tagValue(block, 'at') ?? 'h1');
    const file = tagValue(block, 'file');
    if (file) await machine.write(file, block.text);
    if (!isRun(block)) return;
    t.log(block.place);
    if (block.tags.includes('stopped')) await machine.stopDaemon();
    if (block.tags.includes('daemon')) {
      const log = await machine.startDaemon(block.text);
      t.true(sameShape(shown ?? '…', log), differs(block, shown, log));
    } else {
      await run(t, machine, block, shown);
    }
  }
}

async function run(t: ExecutionContext, machine: Machine, block: Block, shown = '…'): Promise<void> {
  const script = block.text.replace(/^npm run (\w+)$/gm, (_, name: string) => ofPackage(name));
  let ran = await machine.run(script);
  const asShown = async () => {
    if (sameShape(shown, ran.output)) return true;
    ran = await machine.run(script);
    return false;
  };
  if (block.tags.includes('eventually')) await waitFor(block.place, asShown, { explain: () => ran.output });
  t.is(ran.exitCode, Number(tagValue(block, 'fails') ?? 0), `${block.place}:\n${ran.output}`);
  t.true(sameShape(shown, ran.output), differs(block, shown, ran.output));
}

/** An npm script less its set-up, which is done: `loden lab demo`. */
function ofPackage(name: string): string {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const [, program, words] = /dist\/cmd\/(\w+)\.js (.*)$/.exec(scripts[name] ?? '')!;
  return `${program} ${words}`;
}

function differs({ place }: Block, shown: string | undefined, printed: string): string {
  return `${place} shows\n${shown}\nbut this was printed:\n${printed}`;
}

for (const page of pages) {
  asRoot(`the commands on ${page} do what it says`, async (t) => {
    t.timeout(180_000);
    const folder = await mkdtemp(`${tmpdir()}/loden-docs-`);
    t.teardown(() => rm(folder, { recursive: true }));
    const { options, prepare } = PREPARATIONS[page] ?? {};
    const lab = await Lab.up({ ...EMPTY, ...(await options?.(folder)) });
    t.teardown(() => lab.down());
    const walk = new Walk(lab);
    t.teardown(() => walk.end());
    await lab.etcd.ctl('del', '--prefix', ETCD_PREFIX);
    await prepare?.(lab, (name) => walk.machine(name), folder);
    const blocks = blocksOf(page);
    for (const [index, block] of blocks.entries()) {
      const next = blocks[index + 1];
      await walk.take(t, block, next?.tags.includes('output') ? next.text : undefined);
    }
    t.pass();
  });
}

test('pages with commands are found', (t) => {
  t.true(pages.includes('README.md'));
  t.true(pages.length > 5);
});

test('no command of ours is left to be run by hand', (t) => {
  const byHand = PAGES.flatMap(blocksOf).filter(
    (block) => block.language === 'sh' && !isRun(block) && !/^systemctl /m.test(block.text),
  );
  t.deepEqual(
    byHand
      .filter(({ text }) => /^(loden(?! docker)|lodend|etcdctl|ip|bridge)\b/m.test(text))
      .map(({ place }) => place),
    [],
  );
});
