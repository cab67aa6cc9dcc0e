import { execa } from 'execa';
import { findDockerd } from './dockerd.js';
import type { DockerHost } from './engine.js';
import { dockerFlags } from './flag-sources.js';

const ANSWER_MS = 2_000;

export const thisHost: DockerHost = { findDockerd, dockerFlags, installedVersion };

async function installedVersion(): Promise<string | undefined> {
  const options = { reject: false, timeout: ANSWER_MS, stdin: 'ignore' } as const;
  const { stdout } = await execa('dockerd', ['--version'], options);
  // Docker version 28.5.2, build abc
  return / version (\d[^\s,]*)/.exec(stdout ?? '')?.[1];
}
