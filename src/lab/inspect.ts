import { ETCD_PREFIX } from './etcd-service.js';
import type { LabHost } from './host.js';
import type { Lab } from './lab.js';
import { type LeaseEntry, readLeaseEntries } from './lease-entries.js';
import { peersInKernel, plannedPeers, promisedKey } from './peer-state.js';
import { waitFor } from './wait.js';

/**
 * All that is not as it should be in a lab whose daemons run, a sentence each; empty when the network is whole: every
 * host is ready, is in contact with etcd, and holds the subnet that its file promises under a lease that expires; every
 * kernel has what the leases say, and every container reaches every other.
 */
export async function inspect(lab: Lab): Promise<string[]> {
  const leases = await readLeaseEntries(lab.etcd, `${ETCD_PREFIX}/subnets`);
  const hosts = await Promise.all(lab.hosts.map((host) => inspectHost(host, leases)));
  const found = [...misfits(lab.hosts, leases), ...hosts.flat()];
  // Costs the most, and would say no more.
  return found.length > 0 ? found : unreachable(lab);
}

/** Every host holds one lease of this table, and no other host's overlaps it. */
function misfits(hosts: readonly LabHost[], leases: readonly LeaseEntry[]): string[] {
  const holders = leases.map(({ value }) => (JSON.parse(value) as { PublicIP: string }).PublicIP);
  return hosts.flatMap(({ name, address }) => {
    const held = holders.filter((holder) => holder === address).length;
    return held === 1 ? [] : [`${name} holds ${held} leases`];
  });
}

async function inspectHost(host: LabHost, leases: readonly LeaseEntry[]): Promise<string[]> {
  const { name, address, daemon } = host;
  const [promised, there, readiness, log] = await Promise.all([
    promisedKey(host),
    peersInKernel(host),
    daemon.readiness(),
    daemon.log(),
  ]);
  const own = leases.find(({ key }) => key === promised);
  const isOwn = own !== undefined && own.leaseId !== '0' && own.value.includes(`"${address}"`);
  return [
    ...(isOwn ? [] : [`${name}'s file promises ${promised}, which etcd does not lease to it`]),
    ...(/ 200 /.test(readiness) ? [] : [`${name} is not ready`]),
    ...(isInContact(log) ? [] : [`${name} says that etcd is out of reach`]),
    ...difference(name, plannedPeers(host, leases), there),
  ];
}

/** By the last that the daemon said of it. */
function isInContact(log: string): boolean {
  const last = log.match(/etcd is out of reach|etcd refuses us|etcd is back|lodend starts/g)?.at(-1);
  return last === 'etcd is back' || last === 'lodend starts';
}

function difference(host: string, planned: readonly string[], there: readonly string[]): string[] {
  return [
    ...planned.filter((line) => !there.includes(line)).map((line) => `${host} lacks: ${line}`),
    ...there.filter((line) => !planned.includes(line)).map((line) => `${host} has too much: ${line}`),
  ];
}

async function unreachable(lab: Lab): Promise<string[]> {
  return (await lab.pingAll(1))
    .filter(({ received }) => received === 0)
    .map(({ from, to }) => `${from} does not reach ${to}`);
}

/** Pairs of hosts that were promised overlapping subnets, a sentence each: all have one length, so only the same. */
export async function promisedTwice(hosts: readonly LabHost[]): Promise<string[]> {
  const keys = await Promise.all(hosts.map(promisedKey));
  return hosts.flatMap(({ name }, index) => {
    const other = keys.findIndex((key, at) => at > index && key !== undefined && key === keys[index]);
    return other === -1 ? [] : [`${name} and ${hosts[other]!.name} both have ${keys[index]}`];
  });
}

/** Waits until nothing is amiss. Returns how long that took, in seconds. */
export async function untilWhole(lab: Lab, deadlineMs = 15_000, signal?: AbortSignal): Promise<number> {
  const began = performance.now();
  let amiss: string[] = [];
  const look = async () => {
    // An etcd that has just come back may not answer yet.
    amiss = await inspect(lab).catch((error: Error) => [error.message]);
    return amiss.length === 0;
  };
  await waitFor('the network is whole', look, { deadlineMs, signal, explain: () => amiss.join('\n') });
  return (performance.now() - began) / 1000;
}
