import type { Logger } from 'pino';
import type { Backend, NetworkView } from '../backend/backend.js';
import type { PacketPeer } from '../backend/packet-path.js';
import type { KernelObject } from '../kernel/objects.js';
import { type Judgement, judge } from '../lease/judge.js';
import type { Lease } from '../lease/lease.js';
import type { LeaseKey } from '../lease/store.js';

/** Is told what each peer is to have in the kernel, and in the packet path if there is one. */
export interface PeerPlan {
  set(key: LeaseKey, objects: readonly KernelObject[], packetPeer?: PacketPeer): void;
}

/**
 * How long a lease is missing before its host counts as gone, in milliseconds. A host whose key was deleted while it
 * runs claims its subnet again at once, and no packet to or from it should be lost meanwhile.
 */
const GRACE_MS = 500;

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
  readonly #missing = new Map<LeaseKey, NodeJS.Timeout>();

  constructor(backend: Backend, view: NetworkView, plan: PeerPlan, log: Logger) {
    this.#backend = backend;
    this.#view = view;
    this.#plan = plan;
    this.#log = log;
  }

  get counts(): { accepted: number; refused: number } {
    return { accepted: this.#accepted.size, refused: this.#refused.size };
  }

  put(key: LeaseKey, lease: Lease): void {
    this.#found(key);
    const judgement = this.#judge(lease);
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

  /** Takes effect after the grace, unless the lease is put again. */
  delete(key: LeaseKey): void {
    this.#found(key);
    if (this.#accepted.has(key))
      this.#missing.set(key, setTimeout(() => this.#forget(key), GRACE_MS).unref());
    else this.#forget(key);
  }

  #found(key: LeaseKey): void {
    clearTimeout(this.#missing.get(key));
    this.#missing.delete(key);
  }

  #forget(key: LeaseKey): void {
    this.#missing.delete(key);
    this.#accepted.delete(key);
    this.#refused.delete(key);
    this.#plan.set(key, []);
  }

  #judge(lease: Lease): Judgement {
    const { network, uplink, subnet } = this.#view;
    return judge(lease, {
      network,
      subnet,
      publicIp: uplink.publicIp,
      uplinkNetworks: uplink.networks,
      leaseType: this.#backend.leaseType || undefined,
      refusal: (peer) => this.#backend.refusal(this.#view, peer),
    });
  }
}
