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
  const mine = new RegExp(`^loden-${name}-(wire|[ech]\\d+)$`);
  const names = (await namespaceNames()).filter((candidate) => mine.test(candidate));
  const namespaces = names.map((candidate) => new Namespace(candidate));
  const hasEtcd = (namespace: Namespace) => /-(wire|e\d+)$/.test(namespace.name);
  // etcd last, or the daemons would complain of its loss. It takes seconds to end by itself.
  await endProcesses(namespaces.filter((namespace) => !hasEtcd(namespace)));
  await killProcesses(namespaces.filter(hasEtcd));
  await Promise.all(namespaces.map((namespace) => namespace.delete()));
  // Of a Docker engine in a host, named like the host's namespace.
  await removeCgroups((candidate) => mine.test(candidate));
  const directory = labDirectory(name);
  const existed = existsSync(directory);
  await rm(directory, { recursive: true, force: true });
  return existed || names.length > 0;
}

async function endProcesses(namespaces: readonly Namespace[]): Promise<void> {
  // A process that is stopped takes note of SIGTERM when it goes on.
  for (const pid of await running(namespaces)) signalProcess(pid, 'SIGTERM', 'SIGCONT');
  const allEnded = async () => (await running(namespaces)).length === 0;
  await waitFor('end of the processes', allEnded, { deadlineMs: PATIENCE_MS }).catch(() =>
    killProcesses(namespaces),
  );
}

async function killProcesses(namespaces: readonly Namespace[]): Promise<void> {
  for (const pid of await running(namespaces)) signalProcess(pid, 'SIGKILL');
  await waitFor('end of the killed processes', async () => (await running(namespaces)).length === 0);
}

// A process in a namespace that we made is ours, whoever started it: no list of ids that could go stale.
async function running(namespaces: readonly Namespace[]): Promise<number[]> {
  return (await Promise.all(namespaces.map((namespace) => namespace.processes()))).flat();
}
