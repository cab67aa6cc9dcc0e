import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Backend, NetworkView } from '../../backend/backend.js';
import type { PacketPeer } from '../../backend/packet-path.js';
import type { KernelObject } from '../../kernel/objects.js';
import type { GuardedAddress, Judgement, RefusalKind } from '../../lease/judge.js';
import { Judgements } from '../../lease/judgements.js';
import type { Lease } from '../../lease/lease.js';
import type { LeaseKey } from '../../lease/store.js';
import { SparingLog } from '../report/sparing-log.js';
import { judgeContext } from './judge-context.js';
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

/** Leases planned at a stretch, some 8 ms, before the event loop may turn. */
const PLANS_PER_TURN = 1000;

export interface Refused {
  readonly key: LeaseKey;
  readonly publicIp: string;
  readonly kind: RefusalKind;
  readonly reason: string;
}

/**
 * Turns other hosts' leases into what the kernel should hold for them. A lease that cannot be trusted or used is
 * refused: nothing is programmed for it, and the log says why, once for as long as the reason stays the same.
 */
export class Peers {
  readonly #backend: Backend;
  readonly #view: NetworkView;
  readonly #plan: PeerPlan;
  readonly #log: SparingLog;
  readonly #judgements: Judgements;
  readonly #refused = new Map<LeaseKey, Refused>();
  readonly #accepted = new Set<LeaseKey>();
  readonly #missing: MissingPeers;

  constructor({ backend, view, plan, log, ...missing }: PeersInput) {
    this.#backend = backend;
    this.#view = view;
    this.#plan = plan;
    this.#log = new SparingLog(log);
    this.#judgements = new Judgements(judgeContext(backend, view, []));
    this.#missing = new MissingPeers({
      ...missing,
      log,
      count: () => this.#accepted.size,
      letGo: (key, older) => {
        if (older) this.put(key, older);
        else this.#forget(key);
        void this.settle();
      },
    });
  }

  /** `held` are among those accepted: kept though etcd has no lease of theirs; `heldEver` of them since the start. */
  get counts() {
    return { accepted: this.#accepted.size, refused: this.#refused.size, ...this.#missing.counts };
  }

  get refused(): Iterable<Refused> {
    return this.#refused.values();
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

  /** Takes effect with `settle`, as all that follows. */
  put(key: LeaseKey, lease: Lease): void {
    this.#missing.remove(key);
    this.#judgements.put(key, lease);
  }

  /** What we know of the peer is newer than this, which a backup has: it stays for a while. */
  putOlder(key: LeaseKey, known: Lease, older: Lease): void {
    if (this.#accepted.has(key)) this.#missing.addOlder(key, known, older);
    else this.put(key, older);
  }

  /** The peer goes after the grace, or later, unless the lease is put again; at once, where another lease is in its way. */
  delete(key: LeaseKey, known: Lease): void {
    if (!this.#accepted.has(key)) {
      this.#forget(key);
      return;
    }
    this.#missing.add(key, known);
    this.#judgements.yield(key);
  }

  /** These addresses are not for any peer, from now on. */
  guard(addresses: readonly GuardedAddress[]): void {
    this.#judgements.consider(judgeContext(this.#backend, this.#view, addresses));
  }

  async settle(): Promise<void> {
    let planned = 0;
    for (const key of this.#judgements.settle()) {
      this.#follow(key);
      planned += 1;
      if (planned % PLANS_PER_TURN === 0) await setImmediate();
    }
  }

  #follow(key: LeaseKey): void {
    const [lease, judgement] = [this.#judgements.lease(key), this.#judgements.of(key)];
    if (!lease || !judgement) return;
    if (this.#missing.has(key)) {
      // What there is for it stays as it is, for as long as nobody comes for the same addresses.
      if (judgement.verdict !== 'ok') this.#missing.giveWay(key);
    } else if (judgement.verdict === 'ok') {
      this.#accepted.add(key);
      this.#refused.delete(key);
      const objects = this.#backend.planPeer(this.#view, lease);
      this.#plan.set(key, objects, this.#backend.packetPeer?.(this.#view, lease));
    } else {
      this.#refuse(key, lease, judgement);
    }
  }

  #refuse(key: LeaseKey, { attributes }: Lease, judgement: Exclude<Judgement, { verdict: 'ok' }>): void {
    const { publicIp } = attributes;
    const { kind, reason } =
      judgement.verdict === 'own'
        ? ({ kind: 'this-host', reason: 'it is our own subnet' } as const)
        : judgement;
    if (this.#refused.get(key)?.reason !== reason)
      this.#log.warn({ subnet: key, publicIp, reason }, 'lease refused');
    this.#accepted.delete(key);
    this.#refused.set(key, { key, publicIp, kind, reason });
    this.#plan.set(key, []);
  }

  #forget(key: LeaseKey): void {
    this.#missing.remove(key);
    this.#judgements.delete(key);
    this.#accepted.delete(key);
    this.#refused.delete(key);
    this.#plan.set(key, []);
  }
}
