import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { removeCgroups } from './cgroup.js';
import { Namespace, namespaceNames } from './namespace.js';
import { signalProcess } from './pid.js';
import { labDirectory } from './record.js';
import { waitFor } from './wait.js';

/** How long a daemon may take to end before it is killed. Milliseconds. */
const PATIENCE_MS = 4000;

/**
 * Ends all that runs in a lab and removes every trace of it, whole or half made, whoever made it. Needs nothing but
 * its name. False when there was no such lab.
 */
export async function takeDown(name: string): Promise<boolean> {
  const mine = new RegExp(`^loden-${name}-(wire|[hc]\\d+)$`);
  const names = (await namespaceNames()).filter((candidate) => mine.test(candidate));
  const namespaces = names.map((candidate) => new Namespace(candidate));
  const isWire = (namespace: Namespace) => namespace.name.endsWith('-wire');
  // etcd last, or the daemons would complain of its loss.
  await endProcesses(namespaces.filter((namespace) => !isWire(namespace)));
  await endProcesses(namespaces.filter(isWire));
  await Promise.all(namespaces.map((namespace) => namespace.delete()));
  // Of a Docker engine in a host, named like the host's namespace.
  await removeCgroups((candidate) => mine.test(candidate));
  const directory = labDirectory(name);
  const existed = existsSync(directory);
  await rm(directory, { recursive: true, force: true });
  return existed || names.length > 0;
}

// A process in a namespace that we made is ours, whoever started it: no list of ids that could go stale.
async function endProcesses(namespaces: readonly Namespace[]): Promise<void> {
  const running = async () =>
    (await Promise.all(namespaces.map((namespace) => namespace.processes()))).flat();
  const allEnded = async () => (await running()).length === 0;
  // A process that is stopped takes note of SIGTERM when it goes on.
  for (const pid of await running()) signalProcess(pid, 'SIGTERM', 'SIGCONT');
  await waitFor('end of the processes', allEnded, { deadlineMs: PATIENCE_MS }).catch(async () => {
    for (const pid of await running()) signalProcess(pid, 'SIGKILL');
    await waitFor('end of the killed processes', allEnded);
  });
}
