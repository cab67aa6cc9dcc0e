/**
 * The leases as they are once it is settled which of them are this host's: those in doubt are asked about, and those
 * of ours that are of no use are released, unless they are reservations.
 */
import { StoreDeniedError, TwinHostError } from '../errors.js';
import { equalPrefixes, formatPrefix } from '../net/prefix.js';
import type { AcquireInput } from './acquire.js';
import { type Answer, challenge } from './challenge.js';
import { fitsPool, olderOverlap } from './fit.js';
import { type HostMarks, isReservation, type Lease } from './lease.js';
import type { LeaseSnapshot } from './store.js';
import { whose } from './whose.js';

interface Settled {
  readonly snapshot: LeaseSnapshot;
  /** The lease to go on with, if there is one. */
  readonly own: Lease | undefined;
}

export class SettledLeases {
  readonly #input: AcquireInput;
  /** What was found out, by the revision of the lease. */
  readonly #found = new Map<number, 'ours' | "another's">();

  constructor(input: AcquireInput) {
    this.#input = input;
  }

  /** Rejects with TwinHostError, and as LeaseStore does. */
  async read(): Promise<Settled> {
    const { store, network, signal } = this.#input;
    for (;;) {
      const snapshot = await store.snapshot(signal);
      const { ours, inDoubt } = this.#look(snapshot);
      // A daemon's restart asks nobody and waits for nothing: we are known to hold a lease with our public IP.
      const [doubtful] = ours.some((lease) => this.#isHeld(lease)) ? [] : inDoubt;
      if (doubtful) {
        await this.#ask(doubtful);
        continue;
      }
      if (await this.#released(ours, snapshot)) continue;
      const fitting = ours.filter((lease) => useless(network, lease, snapshot) === undefined);
      return { snapshot, own: fitting.toSorted((a, b) => this.#compare(a, b))[0] };
    }
  }

  /**
   * Of two that claim at the same moment neither is in the other's snapshot: the younger asks the older. Rejects with
   * TwinHostError, and as LeaseStore does.
   */
  async refuseOlderTwinOf(claimed: Lease): Promise<void> {
    const { store, signal } = this.#input;
    const isOlderTwin = (lease: Lease) =>
      lease.createRevision < claimed.createRevision && this.#whose(lease) === 'in doubt';
    for (;;) {
      const { leases } = await store.snapshot(signal);
      const twin = [...leases.values()].find(isOlderTwin);
      if (!twin) return;
      await this.#ask(twin);
    }
  }

  #look({ leases }: LeaseSnapshot): { readonly ours: readonly Lease[]; readonly inDoubt: readonly Lease[] } {
    const [ours, inDoubt]: [Lease[], Lease[]] = [[], []];
    for (const lease of leases.values()) {
      const holder = this.#whose(lease);
      if (holder === 'ours') ours.push(lease);
      if (holder === 'in doubt') inDoubt.push(lease);
    }
    return { ours, inDoubt };
  }

  #isHeld({ attributes }: Lease): boolean {
    const { identity, publicIp } = this.#input.host;
    return attributes.identity === identity && attributes.publicIp === publicIp;
  }

  #whose(lease: Lease): ReturnType<typeof whose> {
    return this.#found.get(lease.modRevision) ?? whose(lease.attributes, this.#input.host);
  }

  async #ask(lease: Lease): Promise<void> {
    const { host, log } = this.#input;
    const { publicIp, identity } = lease.attributes;
    log.info(
      { subnet: formatPrefix(lease.subnet), publicIp, identity },
      'asking whether the host is alive that has a lease with our public IP or identity',
    );
    const answer = await this.#challenge(lease);
    if (answer.kind === 'alive') throw twinHost(lease, host);
    if (answer.kind !== 'silent') return;
    log.info({ subnet: formatPrefix(lease.subnet) }, 'nobody answers, so the lease is ours');
    this.#found.set(answer.lease.modRevision, 'ours');
  }

  /** Where each host may write one key alone, nobody may ask, nor take over, and what is in doubt is another's. */
  async #challenge(lease: Lease): Promise<Answer | { readonly kind: 'denied' }> {
    try {
      return await challenge(this.#input, lease);
    } catch (error) {
      if (!(error instanceof StoreDeniedError)) throw error;
      this.#found.set(lease.modRevision, "another's");
      return { kind: 'denied' };
    }
  }

  async #released(leases: readonly Lease[], snapshot: LeaseSnapshot): Promise<boolean> {
    const { network, store, signal, log } = this.#input;
    const reservations: { subnet: string; reason: string }[] = [];
    let released = false;
    for (const lease of leases) {
      const reason = useless(network, lease, snapshot);
      if (reason === undefined) continue;
      const fields = { subnet: formatPrefix(lease.subnet), reason };
      if (isReservation(lease)) {
        reservations.push(fields);
      } else {
        log.info(fields, 'releasing a lease of ours that is of no use');
        released = (await store.release(lease, signal)) || released;
      }
    }
    if (released) return true;
    for (const fields of reservations)
      log.warn(fields, 'a reservation for our public IP is of no use, and is left alone');
    return false;
  }

  /** Of two leases that would do: the one we said is ours, then the one containers are on, then the older. */
  #compare(a: Lease, b: Lease): number {
    const { previousSubnet, host } = this.#input;
    const rank = (lease: Lease) =>
      (lease.attributes.identity === host.identity ? 2 : 0) +
      (previousSubnet && equalPrefixes(lease.subnet, previousSubnet) ? 1 : 0);
    return rank(b) - rank(a) || a.createRevision - b.createRevision;
  }
}

function useless(
  network: AcquireInput['network'],
  lease: Lease,
  snapshot: LeaseSnapshot,
): string | undefined {
  if (lease.subnetV6 !== undefined) return 'it has an IPv6 subnet';
  if (!fitsPool(network, lease.subnet)) return 'it is not one of the subnets of the network config';
  if (isReservation(lease)) return undefined;
  const key = olderOverlap(lease, snapshot.leases);
  return key && `it overlaps the older lease ${key}`;
}

function twinHost({ subnet, attributes }: Lease, host: HostMarks): TwinHostError {
  const { publicIp, identity } = attributes;
  const other = `another host, which holds ${formatPrefix(subnet)} and has just answered`;
  const message =
    identity === host.identity
      ? `the identity of this host, ${identity}, is also that of ${other}; its public IP is ${publicIp}. ` +
        'One of them is a clone: delete the file "identity" in the state folder (--state-dir) of that one, and it ' +
        'gets an identity and a subnet of its own'
      : `the public IP of this host, ${publicIp}, is also that of ${other}; its identity is ${identity}. ` +
        'Packets for both would go to one of them: give this host another address, or choose one that it has ' +
        'with --iface or --public-ip';
  return new TwinHostError(
    attributes,
    `${message}. If the other is to be replaced by this one, stop its lodend first`,
  );
}
