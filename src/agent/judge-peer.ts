import type { Backend, NetworkView } from '../backend/backend.js';
import { type Judgement, judge } from '../lease/judge.js';
import type { Lease } from '../lease/lease.js';

/** Whether another host's lease may be put to use on this one. */
export function judgePeer(backend: Backend, view: NetworkView, lease: Lease): Judgement {
  const { network, uplink, subnet } = view;
  return judge(lease, {
    network,
    subnet,
    publicIp: uplink.publicIp,
    uplinkNetworks: uplink.networks,
    leaseType: backend.leaseType || undefined,
    refusal: (peer) => backend.refusal(view, peer),
  });
}
