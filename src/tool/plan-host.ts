/** What `lodend` would make of this host's kernel now, worked out by the daemon's own parts, with nothing changed. */
import { pino } from 'pino';
import { Peers } from '../agent/peers/peers.js';
import { Desired } from '../agent/reconcile/desired.js';
import { type Survey, viewOf } from '../agent/survey.js';
import { type Difference, diff } from '../kernel/diff.js';
import { leaseKey } from '../lease/codec.js';
import type { GuardedAddress } from '../lease/judge.js';
import type { Lease } from '../lease/lease.js';
import type { LeaseKey } from '../lease/store.js';
import { equalPrefixes } from '../net/prefix.js';
import { misfit } from './config-change.js';

export interface HostPlan extends Difference {
  readonly lease: Lease;
}

/** Undefined when this host holds no lease that it could keep: what follows depends on the subnet it would get. */
export async function planHost(
  survey: Survey,
  leases: ReadonlyMap<LeaseKey, Lease>,
  guarded: readonly GuardedAddress[],
): Promise<HostPlan | undefined> {
  const lease = ownLease(survey, leases.values());
  if (!lease) return undefined;
  const view = viewOf(survey, lease.subnet);
  const desired = new Desired();
  desired.set('self', survey.backend.planSelf(view));
  const plan = {
    set: (owner: string, objects: Parameters<Desired['set']>[1]) => void desired.set(owner, objects),
  };
  const peers = new Peers({
    backend: survey.backend,
    view,
    plan,
    holdMs: 0,
    isBlind: () => false,
    log: pino({ level: 'silent' }),
  });
  peers.guard(guarded);
  for (const [key, peer] of leases) if (key !== leaseKey(lease)) peers.put(key, peer);
  await peers.settle();
  const { observed, owned } = survey;
  return { ...diff({ desired: desired.objects, observed, owned }), lease };
}

/**
 * The lease that the daemon would find to be this host's: by its public IP, if the config still allows it. Anybody may
 * write more of them; containers are on the subnet of the last run.
 */
function ownLease({ uplink, network, previousSubnet }: Survey, leases: Iterable<Lease>): Lease | undefined {
  const ours = [...leases].filter(
    (lease) => lease.attributes.publicIp === uplink.publicIp && misfit(lease, network) === undefined,
  );
  return ours.find(({ subnet }) => previousSubnet && equalPrefixes(subnet, previousSubnet)) ?? ours[0];
}
