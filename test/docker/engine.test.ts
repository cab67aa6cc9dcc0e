import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { Lab } from '../../src/lab/lab.js';
import { isAlive } from '../../src/lab/pid.js';
import { Engine, IMAGE } from './engine.js';
import { ENGINES, type EngineName, testOn } from './engines.js';

const SERVER = ['httpd', '-f', '-p', '80', '-h', '/www'];

async function engineOn(t: ExecutionContext, name: EngineName): Promise<{ lab: Lab; engine: Engine }> {
  const lab = await Lab.up({ hosts: 1, daemon: false });
  t.teardown(() => lab.down());
  return { lab, engine: await Engine.start(lab.host('h1'), name, { bip: '10.99.1.1/24' }) };
}

for (const name of ENGINES) {
  testOn(name)(
    `docker ${name} runs containers on its own bridge, also when it comes back after kill -9`,
    async (t) => {
      const { engine } = await engineOn(t, name);
      t.true((await engine.version()).startsWith(name));
      t.deepEqual(await engine.bridgeAddresses(), ['10.99.1.1/24']);
      const web = await engine.runContainer('web', [], SERVER);
      t.is(web, '10.99.1.2');
      await engine.docker('run', '--rm', IMAGE, 'ping', '-c1', '-W1', web);
      await engine.kill();
      t.false(engine.running);
      await engine.start();
      await engine.docker('rm', '--force', 'web');
      await engine.docker('run', '--rm', IMAGE, 'curl', '--version');
    },
  );
}

testOn('20.10')(
  'a lab with an engine is taken down with its containers, mounts and control groups',
  async (t) => {
    const { lab, engine } = await engineOn(t, '20.10');
    await engine.runContainer('web', [], SERVER);
    const before = await tracesOf(engine.directory);
    t.true(before.some((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('httpd')));
    t.true((await cgroupsOf(lab)).length > 0);
    await lab.down();
    t.deepEqual(before.filter(isAlive), []);
    t.deepEqual(await cgroupsOf(lab), []);
    t.false(existsSync(engine.directory));
  },
);

/** Processes that have something of the directory mounted: the cell's, and its containers'. */
async function tracesOf(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Boolean);
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/mounts`, 'utf8').includes(directory);
    } catch {
      return false;
    }
  });
}

async function cgroupsOf(lab: Lab): Promise<string[]> {
  const names = await readdir('/sys/fs/cgroup', { recursive: true });
  return names.filter((name) => name.includes(`loden-${lab.name}-`));
}
