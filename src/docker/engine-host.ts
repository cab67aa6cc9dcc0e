import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findDockerd } from './dockerd.js';
import type { DockerHost } from './engine.js';
import { dockerFlags } from './flag-sources.js';

const ANSWER_MS = 2_000;

export const thisHost: DockerHost = { findDockerd, dockerFlags, installedVersion };

async function installedVersion(): Promise<string | undefined> {
  const asked = promisify(execFile)('dockerd', ['--version'], { timeout: ANSWER_MS });
  const stdout = await asked.then(
    (answer) => answer.stdout,
    () => '',
  );
  // Docker version 28.5.2, build abc
  return / version (\d[^\s,]*)/.exec(stdout)?.[1];
}
