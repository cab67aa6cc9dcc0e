import { execa } from 'execa';

const ANSWER_MS = 2_000;

/** The version of the dockerd that is installed, whether it runs or not; undefined when there is none to ask. */
export async function installedVersion(): Promise<string | undefined> {
  const { stdout } = await execa('dockerd', ['--version'], {
    reject: false,
    timeout: ANSWER_MS,
    stdin: 'ignore',
  });
  // Docker version 28.5.2, build abc
  return / version (\d[^\s,]*)/.exec(stdout ?? '')?.[1];
}
