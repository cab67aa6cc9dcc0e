/** The lease protocol as a model: the hosts' steps, and what befalls them and etcd. */
import { dueGrants, type Outcome, revoke, tick, WHOLE, wipe } from './etcd.js';
import type { Model, Step } from './explore.js';
import { keyOf, type Symmetry } from './key.js';
import { hostSteps } from './steps.js';
import { told } from './watching.js';
import type { Budget, Host, Setup, World } from './world.js';

export interface Scenario extends Setup {
  readonly symmetries: readonly Symmetry[];
  readonly budget: Budget;
  /** Whether there is a state file, and whether the clock runs on while the host does not. */
  readonly stateFile: 'none' | 'aging' | 'ageless';
  broken(world: World): string | undefined;
}

const NEW: Host = { at: 'start', previous: undefined, file: undefined };

export function protocol(scenario: Scenario, etcd: World['etcd']): Model<World> {
  const { kinds, budget } = scenario;
  return {
    start: { etcd, hosts: kinds.map(() => NEW), backup: undefined, budget, setup: scenario },
    steps: (world) => [
      ...world.hosts.flatMap((_, index) => hostSteps(world, index)),
      ...world.hosts.flatMap((host, index) => ends(scenario, world, host, index)),
      ...time(scenario, world),
      ...disasters(world),
    ],
    keyOf: (world) => keyOf(world, scenario.symmetries),
    broken: scenario.broken,
  };
}

function ends(scenario: Scenario, world: World, host: Host, index: number): Step<World>[] {
  if (host.at === 'start') return [];
  const name = `host ${index + 1}`;
  const previous = 'lease' in host && 'sure' in host ? host.lease.subnet : host.previous;
  const file =
    scenario.stateFile !== 'none' && 'sure' in host ? { lease: host.lease, sure: host.sure } : undefined;
  const end = (text: string, after: Host, spent: Partial<Budget>) => ({
    text: `${name} ${text}`,
    next: {
      ...world,
      hosts: world.hosts.with(index, after),
      budget: { ...world.budget, ...spent },
    },
  });
  const { crashes, reboots } = world.budget;
  return [
    ...(crashes > 0 ? [end('crashes', { at: 'start', previous, file }, { crashes: crashes - 1 })] : []),
    ...(reboots > 0
      ? [end('reboots', { at: 'start', previous: undefined, file }, { reboots: reboots - 1 })]
      : []),
  ];
}

function time({ stateFile }: Scenario, world: World): Step<World>[] {
  const hosts = world.hosts.map((host): Host => {
    if ('sure' in host) return { ...host, sure: Math.max(host.sure - 1, 0) };
    if (host.at === 'start' && host.file && stateFile === 'aging')
      return { ...host, file: { ...host.file, sure: Math.max(host.file.sure - 1, 0) } };
    return host;
  });
  const passes = { text: 'time passes', next: { ...world, etcd: tick(world.etcd), hosts } };
  const { expiries } = world.budget;
  const expired = (expiries > 0 ? dueGrants(world.etcd) : []).map((id) => {
    const keys = [...world.etcd.leases].filter(([, { leaseId }]) => leaseId === id).map(([key]) => key);
    return after(
      world,
      `etcd lets the lease on ${keys.join(', ') || 'nothing'} expire`,
      revoke(world.etcd, id),
      { expiries: expiries - 1 },
    );
  });
  return [passes, ...expired];
}

function disasters(world: World): Step<World>[] {
  const { wipes, restores } = world.budget;
  const steps: Step<World>[] = [];
  if (wipes > 0 && world.etcd.leases.size > 0)
    steps.push(after(world, 'all keys are deleted', wipe(world.etcd), { wipes: wipes - 1 }));
  if (restores > 0 && !world.backup)
    steps.push({ text: 'a backup of etcd is made', next: { ...world, backup: world.etcd } });
  if (restores > 0 && world.backup) {
    const etcd = { ...world.backup, lastId: world.etcd.lastId };
    const restored = { etcd, events: WHOLE };
    const step = after(world, 'etcd is restored from the backup', restored, { restores: restores - 1 });
    steps.push({ ...step, next: { ...step.next, backup: undefined } });
  }
  return steps;
}

function after(
  world: World,
  text: string,
  { etcd, events }: Outcome,
  spent: Partial<Budget> = {},
): Step<World> {
  const budget = { ...world.budget, ...spent };
  return { text, next: { ...world, etcd, hosts: told(world.hosts, events), budget } };
}
