import type { Logger } from 'pino';
import type { Backend, NetworkView } from '../backend/backend.js';
import type { PacketPeer } from '../backend/packet-path.js';
import type { KernelObject } from '../kernel/objects.js';
import type { Lease } from '../lease/lease.js';
import type { LeaseKey } from '../lease/store.js';
import { judgePeer } from './judge-peer.js';
import { MissingPeers, type MissingPeersInput } from './missing-peers.js';

/** Is told what each peer is to have in the kernel, and in the packet path if there is one. */
export interface PeerPlan {
  set(key: LeaseKey, objects: readonly KernelObject[], packetPeer?: PacketPeer): void;
}

interface PeersInput extends Pick<MissingPeersInput, 'holdMs' | 'isBlind'> {
  readonly backend: Backend;
  readonly view: NetworkView;
  readonly plan: PeerPlan;
  readonly log: Logger;
}

/**
 * Turns other hosts' leases into what the kernel should hold for them. A lease that cannot be trusted or used is
 * refused: nothing is programmed for it, and the log says why, once for as long as the reason stays the same.
 */
export class Peers {
  readonly #backend: Backend;
  readonly #view: NetworkView;
  readonly #plan: PeerPlan;
  readonly #log: Logger;
  readonly #refused = new Map<LeaseKey, string>();
  readonly #accepted = new Set<LeaseKey>();
  readonly #missing: MissingPeers;

  constructor({ backend, view, plan, log, ...missing }: PeersInput) {
    this.#backend = backend;
    this.#view = view;
    this.#plan = plan;
    this.#log = log;
    this.#missing = new MissingPeers({
      ...missing,
      log,
      count: () => this.#accepted.size,
      letGo: (key, older) => {
        if (older) this.put(key, older);
        else this.#forget(key);
      },
    });
  }

  /** `held` are among those accepted: kept though etcd has no lease of theirs; `heldEver` of them since the start. */
  get counts() {
    return { accepted: this.#accepted.size, refused: this.#refused.size, ...this.#missing.counts };
  }

  /** Leases that etcd has not, or not as new as we know them. */
  get missing(): Iterable<[LeaseKey, Lease]> {
    return this.#missing.leases();
  }

  /** For a while from now a lease that goes does not mean that its host has gone. */
  doubt(reason: string): void {
    this.#missing.doubt(reason);
  }

  /** No timer of ours goes off any more. */
  stop(): void {
    this.#missing.stop();
  }

  put(key: LeaseKey, lease: Lease): void {
    this.#missing.remove(key);
    this.#missing.claim(lease.subnet);
    const judgement = judgePeer(this.#backend, this.#view, lease);
    if (judgement.verdict === 'ok') {
      this.#accepted.add(key);
      this.#refused.delete(key);
      const objects = this.#backend.planPeer(this.#view, lease);
      this.#plan.set(key, objects, this.#backend.packetPeer?.(this.#view, lease));
      return;
    }
    const reason = judgement.verdict === 'own' ? 'it is our own subnet' : judgement.reason;
    if (this.#refused.get(key) !== reason) {
      this.#log.warn({ subnet: key, publicIp: lease.attributes.publicIp, reason }, 'lease refused');
    }
    this.#forget(key);
    this.#refused.set(key, reason);
  }

  /** What we know of the peer is newer than this, which a backup has: it stays for a while. */
  putOlder(key: LeaseKey, known: Lease, older: Lease): void {
    if (this.#accepted.has(key)) this.#missing.addOlder(key, known, older);
    else this.put(key, older);
  }

  /** Takes effect after the grace, or later, unless the lease is put again. */
  delete(key: LeaseKey, known: Lease): void {
    if (this.#accepted.has(key)) this.#missing.add(key, known);
    else this.#forget(key);
  }

  #forget(key: LeaseKey): void {
    this.#missing.remove(key);
    this.#accepted.delete(key);
    this.#refused.delete(key);
    this.#plan.set(key, []);
  }
}
