import type { Backend, NetworkView } from '../../backend/backend.js';
import type { GuardedAddress, JudgeContext } from '../../lease/judge.js';

/** Leases are judged by this on a host that has this view. */
export function judgeContext(
  backend: Backend,
  view: NetworkView,
  guarded: readonly GuardedAddress[],
): JudgeContext {
  const { network, uplink, subnet } = view;
  return {
    network,
    subnet,
    publicIp: uplink.publicIp,
    uplinkNetworks: uplink.networks,
    guarded,
    leaseType: backend.leaseType || undefined,
    refusal: (peer) => backend.refusal(view, peer),
    markOf: (peer) => backend.markOf?.(peer),
    markFor: (peerSubnet) => backend.markFor?.(view.options, peerSubnet),
  };
}
