/**
 * Removes what runs that were killed left behind. Labs, namespaces, control groups and temporary folders of one run carry
 * its process id in their names (`loden-test-1234-…`); processes that a run of the tests started carry the runner's
 * id in their environment, whatever they are called and wherever they run.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { removeCgroups } from './cgroup.js';
import { Namespace, namespaceNames } from './namespace.js';
import { isAlive, signalProcess } from './pid.js';
import { LABS } from './record.js';
import { takeDown } from './take-down.js';
import { waitFor } from './wait.js';

/** The environment variable that marks the processes of a test run. */
export const RUN_MARK = 'LODEN_TEST_RUN';

/** Names of what was removed. `run`: a run that is over although its process, the caller, still lives. */
export async function sweep(run?: number): Promise<string[]> {
  const isOver = (pid: number) => pid === run || !isAlive(pid);
  const processes = await endMarked(isOver);
  const labs = (await entries(LABS)).filter((name) => belongsToDead(`loden-${name}`, isOver));
  for (const name of labs) await takeDown(name);
  const namespaces = (await namespaceNames()).filter((name) => belongsToDead(name, isOver));
  for (const name of namespaces) await new Namespace(name).delete();
  await removeCgroups((name) => belongsToDead(name, isOver));
  const folders = (await entries(tmpdir())).filter((name) => belongsToDead(name, isOver));
  for (const name of folders) await rm(`${tmpdir()}/${name}`, { recursive: true, force: true });
  return [...processes, ...labs.map((name) => `lab ${name}`), ...namespaces, ...folders];
}

function belongsToDead(name: string, isOver: (pid: number) => boolean): boolean {
  const pid = /^loden-(?:test|demo)-(\d+)(?:-|$)/.exec(name)?.[1];
  return pid !== undefined && isOver(Number(pid));
}

async function endMarked(isOver: (pid: number) => boolean): Promise<string[]> {
  const ended: number[] = [];
  for (const pid of (await entries('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
    // Gone meanwhile, or not ours to read.
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    const mark = new RegExp(`(?:^|\0)${RUN_MARK}=(\\d+)\0`).exec(environment)?.[1];
    if (mark === undefined || pid === process.pid || !isOver(Number(mark))) continue;
    if (signalProcess(pid, 'SIGKILL')) ended.push(pid);
  }
  // What is theirs goes by whether they live.
  await waitFor('the end of killed processes', () => !ended.some(isAlive));
  return ended.map((pid) => `process ${pid}`);
}

async function entries(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
