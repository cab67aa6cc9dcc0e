import { isReservation } from '../../lease/lease.js';
import type { Contact } from '../contact.js';
import type { Follower } from '../follower.js';
import type { OwnLease } from '../lease/own-lease.js';
import type { HeldPath } from '../packets/held-path.js';
import type { Peers } from '../peers/peers.js';
import type { Reconciler } from '../reconcile/reconciler.js';
import { currentMoment, elapsedMs } from '../state/moment.js';
import type { Survey } from '../survey.js';
import type { NetworkSample } from './metrics.js';

interface SampledParts {
  readonly survey: Survey;
  readonly contact: Contact;
  readonly own: OwnLease;
  readonly peers: Peers;
  readonly follower: Follower;
  readonly reconciler: Reconciler;
  readonly heldPath: HeldPath;
}

/** How a host and its network are at this moment. */
export function networkSample(parts: SampledParts): NetworkSample {
  const { survey, contact, own, peers, follower, reconciler, heldPath } = parts;
  const { accepted, held, heldEver } = peers.counts;
  return {
    backend: survey.backend.type,
    subnet: own.lease.subnet,
    publicIp: survey.uplink.publicIp,
    etcdAnswers: contact.silence === undefined,
    lease: {
      renewedSecondsAgo: Math.max(elapsedMs(own.renewed, currentMoment()), 0) / 1000,
      ttlSeconds: isReservation(own.lease) ? undefined : own.ttlSeconds,
    },
    peers: { accepted, refused: [...peers.refused], held, heldSinceStart: heldEver },
    skippedKeys: follower.skippedKeys,
    kernel: reconciler.status(),
    packetPath: heldPath.counters(),
  };
}
