/** A host that has its subnet: it follows the leases, keeps the kernel as they say, and keeps its own. */
import type { NetworkView } from '../backend/backend.js';
import { blackholeRoute } from '../backend/blackhole-route.js';
import type { KernelObject } from '../kernel/objects.js';
import type { GuardedAddress } from '../lease/judge.js';
import { together } from '../together.js';
import type { AgentPorts } from './agent.js';
import type { Contact } from './contact.js';
import { FirewallKeeper } from './firewall/firewall-keeper.js';
import { firewallWish } from './firewall/firewall-wish.js';
import { Follower } from './follower.js';
import type { Ground } from './ground.js';
import { OwnLease } from './lease/own-lease.js';
import { PacketPathKeeper } from './packets/packet-path-keeper.js';
import { Guard } from './peers/guard.js';
import { type PeerPlan, Peers } from './peers/peers.js';
import { Reconciler } from './reconcile/reconciler.js';
import type { NetworkSample } from './report/metrics.js';
import { networkSample } from './report/network-sample.js';
import { leaseAttributes, type Marks, type Survey, viewOf } from './survey.js';

interface MembershipInput extends Omit<AgentPorts, 'notify' | 'dockerBridge'> {
  readonly marks: Marks;
  readonly survey: Survey;
  readonly ground: Ground;
  readonly contact: Contact;
  /** Settles when etcd has the config that we run on. */
  readonly mayClaim: (signal: AbortSignal) => Promise<void>;
  /** What we know of leases has changed. */
  readonly onChange: () => void;
  /** etcd may not be the one that we knew. */
  readonly onReturn: () => void;
}

/** Who wants what is no peer's: no lease key is empty. */
const OURSELVES = '';

export class Membership {
  readonly #input: MembershipInput;
  readonly #view: NetworkView;
  readonly #own: OwnLease;
  readonly #reconciler: Reconciler;
  readonly #firewall: FirewallKeeper;
  /** Undefined where the kernel carries the packets. */
  readonly #packetPath: PacketPathKeeper | undefined;
  readonly #peers: Peers;
  readonly #follower: Follower;
  readonly #guard: Guard;

  constructor(input: MembershipInput) {
    const { options, kernel, firewall, log, survey, ground } = input;
    const { lease } = ground;
    const holdMs = options.peerHoldSeconds * 1000;
    this.#input = input;
    this.#view = viewOf(survey, lease.subnet);
    this.#own = new OwnLease({
      ...input,
      ...ground,
      attributes: leaseAttributes(survey, lease.subnet, input.marks),
      newTtlSeconds: options.subnetLeaseTtlSeconds,
      renewMarginSeconds: options.subnetLeaseRenewMarginMinutes * 60,
      log: log.child({ component: 'lease' }),
    });
    this.#reconciler = new Reconciler({
      kernel,
      owned: survey.owned,
      log: log.child({ component: 'kernel' }),
      resyncMs: options.resyncSeconds * 1000,
      vital: OURSELVES,
    });
    this.#firewall = new FirewallKeeper({
      firewall,
      wish: (signal) => firewallWish({ options, survey, subnet: lease.subnet, kernel, signal }),
      resyncMs: options.iptablesResyncSeconds * 1000,
      log: log.child({ component: 'firewall' }),
    });
    this.#guard = new Guard({
      kernel,
      pool: survey.network.network,
      ownLinks: survey.owned.links,
      etcdEndpoints: options.etcdEndpoints,
    });
    const wish = survey.backend.packetPath?.(this.#view);
    const pathLog = log.child({ component: 'path' });
    this.#packetPath = wish && new PacketPathKeeper({ wish, held: input.heldPath, kernel, log: pathLog });
    this.#peers = new Peers({
      backend: survey.backend,
      view: this.#view,
      plan: this.#peerPlan(),
      holdMs,
      isBlind: () => input.contact.silence !== undefined || !this.#own.isHeld,
      log: log.child({ component: 'peers' }),
    });
    if (ground.doubt !== undefined) this.#peers.doubt(ground.doubt);
    this.#follower = new Follower({ ...input, own: this.#own, peers: this.#peers, holdMs });
  }

  /** What a next life, or a next start, can begin with. Peers that are held belong to it. */
  get ground(): Ground {
    const { lease, grant } = this.#own;
    const { known } = this.#follower;
    const leases = new Map([...known.leases, ...this.#peers.missing]);
    const revision = Math.max(known.revision, lease.modRevision);
    const doubt = this.#peers.counts.held > 0 ? 'they were held before' : undefined;
    return { lease, ...grant, snapshot: { leases, revision, skipped: [] }, afresh: true, doubt };
  }

  get sample(): NetworkSample {
    return networkSample({
      ...this.#input,
      own: this.#own,
      peers: this.#peers,
      follower: this.#follower,
      reconciler: this.#reconciler,
    });
  }

  /** Settles when the signal is aborted. Calls `onReady` once, when kernel and firewall have what they should and packets can flow. */
  async run(signal: AbortSignal, onReady: () => void): Promise<void> {
    const { snapshot, remembered, afresh } = this.#input.ground;
    this.#reconciler.set(OURSELVES, this.#ownObjects());
    const guarded = await this.#guard.look(signal);
    this.#peers.guard(guarded);
    if (remembered) await this.#follower.begin(remembered);
    await this.#follower.begin(snapshot);
    const path = this.#packetPath;
    if (!path) this.#input.heldPath.release();
    let awaited = path ? 3 : 2;
    const oneDone = () => {
      awaited -= 1;
      if (awaited === 0) onReady();
    };
    try {
      await together(signal, [
        (until) => this.#keepKernel(until, oneDone),
        (until) => this.#firewall.run(until, oneDone),
        (until) => this.#follower.run(afresh, until),
        (until) => this.#own.keep(until),
        (until) => this.#keepGuard(guarded, until),
      ]);
    } finally {
      this.#peers.stop();
    }
  }

  /** A device that another daemon of this host has is left to it: each would put right what the other does, for ever. */
  async #keepKernel(signal: AbortSignal, oneDone: () => void): Promise<void> {
    const path = this.#packetPath;
    await path?.claim(signal);
    await together(signal, [
      (until) => this.#reconciler.run(until, oneDone),
      async (until) => path?.run(until, oneDone),
    ]);
  }

  #peerPlan(): PeerPlan {
    const path = this.#packetPath;
    if (!path) return this.#reconciler;
    return {
      set: (key, objects, packetPeer) => {
        this.#reconciler.set(key, objects);
        path.set(key, packetPeer);
      },
    };
  }

  #ownObjects(): readonly KernelObject[] {
    const { survey, options } = this.#input;
    const planned = survey.backend.planSelf(this.#view);
    return options.ipBlackholeRoute ? [...planned, blackholeRoute(this.#view.subnet)] : planned;
  }

  #keepGuard(known: readonly GuardedAddress[], signal: AbortSignal): Promise<void> {
    const changed = (addresses: readonly GuardedAddress[]) => {
      this.#peers.guard(addresses);
      void this.#peers.settle();
    };
    return this.#guard.watch(known, changed, this.#input.options.resyncSeconds * 1000, signal);
  }
}
