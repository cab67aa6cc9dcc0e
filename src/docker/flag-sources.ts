/** Where dockerd's flags come from on this host, all read from files: no process is started to learn them. */
import { readFile } from 'node:fs/promises';
import { parseAssignments } from './assignments.js';
import type { Dockerd } from './dockerd.js';
import { type DockerFlag, findFlags } from './flags.js';
import { splitWords, unitCommands } from './unit.js';

/** What init scripts and distributions' units source, and the variables that end on dockerd's command line. */
const OPTION_FILES: Readonly<Record<string, readonly string[]>> = {
  '/etc/default/docker': ['DOCKER_OPTS'],
  '/etc/conf.d/docker': ['DOCKER_OPTS'],
  '/etc/sysconfig/docker': ['OPTIONS', 'DOCKER_OPTS'],
  '/etc/sysconfig/docker-network': ['DOCKER_NETWORK_OPTIONS'],
};

/**
 * The flags that the dockerd that runs was started with, and those that it will be started with, each once. `root`
 * stands before every path; empty for this machine.
 */
export async function dockerFlags(dockerd: Dockerd | undefined, root = ''): Promise<readonly DockerFlag[]> {
  const running = dockerd ? findFlags(dockerd.words, `the dockerd that runs, process ${dockerd.pid}`) : [];
  const unit = (await unitCommands('docker.service', root)) ?? [];
  const configured = [
    ...unit.flatMap(({ words, source }) => findFlags(words, source)),
    ...(await flagsOfFiles(root)),
  ];
  // A flag's own source says more than the process that got it from there.
  const known = new Set(configured.map(identity));
  const all = [...configured, ...running.filter((flag) => !known.has(identity(flag)))];
  return [...new Map(all.map((flag) => [`${identity(flag)} ${flag.source}`, flag])).values()];
}

function identity({ name, value }: DockerFlag): string {
  return `${name}=${value}`;
}

async function flagsOfFiles(root: string): Promise<DockerFlag[]> {
  const found: DockerFlag[] = [];
  for (const [path, names] of Object.entries(OPTION_FILES)) {
    const assignments = parseAssignments(await readFile(root + path, 'utf8').catch(() => ''));
    for (const name of names)
      found.push(...findFlags(splitWords(assignments.get(name) ?? ''), `${name} in ${path}`));
  }
  return found;
}
