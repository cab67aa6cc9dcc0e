/** A host that has its subnet: it follows the leases, keeps the kernel as they say, and keeps its own. */
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { NetworkView } from '../backend/backend.js';
import { blackholeRoute } from '../backend/blackhole-route.js';
import type { DaemonOptions } from '../config/options/daemon.js';
import type { Firewall } from '../firewall/firewall.js';
import type { Kernel } from '../kernel/kernel.js';
import type { KernelObject } from '../kernel/objects.js';
import type { Acquired } from '../lease/acquire.js';
import type { LeaseStore, LeaseUpdate, SkippedKey } from '../lease/store.js';
import { type LeaseChange, LeaseTable } from '../lease/table.js';
import { Contact } from './contact.js';
import { FirewallKeeper } from './firewall-keeper.js';
import { firewallWish } from './firewall-wish.js';
import type { HeldPath } from './held-path.js';
import { OwnLease } from './own-lease.js';
import { PacketPathKeeper } from './packet-path-keeper.js';
import { type PeerPlan, Peers } from './peers.js';
import { Reconciler } from './reconciler.js';
import { type Survey, viewOf } from './survey.js';
import { together } from './together.js';

interface MembershipInput {
  readonly options: DaemonOptions;
  readonly store: LeaseStore;
  readonly kernel: Kernel;
  readonly firewall: Firewall;
  readonly heldPath: HeldPath;
  readonly log: Logger;
  readonly survey: Survey;
  readonly acquired: Acquired;
}

/** Leases judged and planned at a stretch, some 8 ms, before the event loop may turn. */
const CHANGES_PER_TURN = 1000;

/** Who wants what is no peer's: no lease key is empty. */
const OURSELVES = '';

export class Membership {
  readonly #input: MembershipInput;
  readonly #view: NetworkView;
  readonly #table = new LeaseTable();
  readonly #contact: Contact;
  readonly #own: OwnLease;
  readonly #reconciler: Reconciler;
  readonly #firewall: FirewallKeeper;
  /** Undefined where the kernel carries the packets. */
  readonly #packetPath: PacketPathKeeper | undefined;
  readonly #peers: Peers;

  constructor(input: MembershipInput) {
    const { options, store, kernel, firewall, log, survey, acquired } = input;
    this.#input = input;
    this.#view = viewOf(survey, acquired.lease.subnet);
    this.#contact = new Contact(log);
    this.#own = new OwnLease({
      store,
      contact: this.#contact,
      lease: acquired.lease,
      ttlSeconds: options.subnetLeaseTtlSeconds,
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
      wish: (signal) => firewallWish({ options, survey, subnet: acquired.lease.subnet, kernel, signal }),
      resyncMs: options.iptablesResyncSeconds * 1000,
      log: log.child({ component: 'firewall' }),
    });
    const wish = survey.backend.packetPath?.(this.#view);
    const pathLog = log.child({ component: 'path' });
    this.#packetPath = wish && new PacketPathKeeper({ wish, held: input.heldPath, log: pathLog });
    this.#peers = new Peers(survey.backend, this.#view, this.#peerPlan(), log.child({ component: 'peers' }));
  }

  /** Settles when the signal is aborted. Calls `onReady` once, when kernel and firewall have what they should and packets can flow. */
  async run(signal: AbortSignal, onReady: () => void): Promise<void> {
    const { acquired } = this.#input;
    this.#reconciler.set(OURSELVES, this.#ownObjects());
    await this.#learn({ kind: 'snapshot', snapshot: acquired.snapshot });
    const path = this.#packetPath;
    if (!path) this.#input.heldPath.close();
    let awaited = path ? 3 : 2;
    const oneDone = () => {
      awaited -= 1;
      if (awaited === 0) onReady();
    };
    await together(signal, [
      (until) => this.#reconciler.run(until, oneDone),
      (until) => this.#firewall.run(until, oneDone),
      async (until) => path?.run(until, oneDone),
      (until) => this.#follow(until),
      (until) => this.#own.keep(until),
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

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const updates of this.#input.store.watch(this.#input.acquired.snapshot.revision, signal)) {
      for (const update of updates) await this.#learn(update);
    }
  }

  async #learn(update: LeaseUpdate): Promise<void> {
    if (update.kind === 'disconnected') this.#contact.lost(update.reason);
    if (update.kind === 'connected') this.#contact.back();
    if (update.kind === 'skipped') this.#warnOfSkipped([update.skipped], this.#table.skipped.size + 1);
    if (update.kind === 'snapshot')
      this.#warnOfSkipped(update.snapshot.skipped, update.snapshot.skipped.length);
    for (const [index, change] of this.#table.fold(update).entries()) {
      this.#pass(change, update.kind === 'snapshot');
      if (index % CHANGES_PER_TURN === CHANGES_PER_TURN - 1) await setImmediate();
    }
  }

  #pass(change: LeaseChange, whole: boolean): void {
    if (change.key === this.#own.key) this.#own.show(change, whole);
    else if (change.kind === 'put') this.#peers.put(change.key, change.lease);
    else this.#peers.delete(change.key);
  }

  /** `count` is how many there are in all. */
  #warnOfSkipped(skipped: readonly SkippedKey[], count: number): void {
    for (const { key, reason } of skipped) {
      if (this.#table.skipped.get(key) === reason) continue;
      this.#input.log.warn({ key, reason, count }, 'skipped a key that is no lease');
    }
  }
}
