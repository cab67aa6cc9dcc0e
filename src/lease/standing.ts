/**
 * Which of several leases stand that cannot all be followed: because they overlap, or because two hosts claim what
 * packets for one of them are told apart by (the MAC of a VTEP). The incumbent does: whoever came first, by etcd's
 * revisions, which every host sees alike. A lease stands if no older one that stands is in its way.
 *
 *     age  1   10.5.2.0/24   stands
 *          2   10.5.0.0/16   in the way of 1, and so of nobody else
 *          3   10.5.3.0/24   stands; when 1 goes, 2 stands, and this one does not
 *
 * A mark that follows from a subnet is that subnet's by right, whoever was first to write it: else a host could put the
 * MAC of another into its own lease, older as it may be, and so take that one off the air. All others that carry it are
 * refused, whether or not its owner stands.
 *
 * When a lease begins or ceases to stand, those to which that makes a difference are looked at again, the oldest first,
 * so each is looked at once. With leases of one length, as a pool has them, that is nobody. It makes no difference in
 * which order leases were heard of.
 */
import { formatPrefix, type Prefix } from '../net/prefix.js';
import { PrefixIndex } from '../net/prefix-index.js';
import { AgeQueue } from './age-queue.js';
import type { Lease } from './lease.js';
import { MarkGroups } from './mark-groups.js';
import type { LeaseKey } from './store.js';

/** What a lease has in the way. */
export interface Obstacle {
  readonly kind: 'overlap' | 'mark';
  /** A phrase that names the other lease, or the other host. */
  readonly reason: string;
}

interface Entry {
  readonly key: LeaseKey;
  readonly subnet: Prefix;
  readonly publicIp: string;
  readonly mark: string | undefined;
  readonly createRevision: number;
  /** Undefined until it was looked at. */
  stands: boolean | undefined;
  rival: Rival | undefined;
}

/** A lease that overlaps, or a host that has the mark; of several leases the first in the pool. */
type Rival =
  | { readonly kind: 'overlap'; readonly entry: Entry }
  | { readonly kind: 'mark'; readonly publicIp: string; readonly byRight: boolean };

/** A restored etcd may have given two keys one revision. */
function isOlder(a: Entry, b: Entry): boolean {
  return a.createRevision === b.createRevision ? a.key < b.key : a.createRevision < b.createRevision;
}

/** What hosts must not share, as a phrase: `VTEP MAC 02:…`. */
export interface Marks {
  markOf(lease: Lease): string | undefined;
  /** The mark that follows from a subnet, so that no other has it but by copying. */
  markFor(subnet: Prefix): string | undefined;
}

export class Standing {
  readonly #marks: Marks;
  readonly #entries = new Map<LeaseKey, Entry>();
  readonly #bySubnet = new PrefixIndex<Entry>();
  readonly #byMark: MarkGroups<Entry>;
  /** Those that stand: of each mark one host's, but for a moment. */
  readonly #standingByMark: MarkGroups<Entry>;
  readonly #queue = new AgeQueue<Entry>(isOlder);

  constructor(marks: Marks) {
    this.#marks = marks;
    const hasRight = ({ subnet, mark }: Entry) => mark === marks.markFor(subnet);
    this.#byMark = new MarkGroups(hasRight);
    this.#standingByMark = new MarkGroups(hasRight);
  }

  /** Takes effect with `settle`, as all that follows. The subnet has no host bits. */
  put(key: LeaseKey, lease: Lease): void {
    const { subnet, createRevision } = lease;
    const { publicIp } = lease.attributes;
    const mark = this.#marks.markOf(lease);
    const known = this.#entries.get(key);
    if (known?.createRevision === createRevision && known.mark === mark && known.publicIp === publicIp)
      return;
    this.delete(key);
    this.#add({ key, subnet, publicIp, mark, createRevision, stands: undefined, rival: undefined });
  }

  /** The key is gone from etcd, and its host perhaps not: it stands only where no other is in the way. */
  yield(key: LeaseKey): void {
    const known = this.#entries.get(key);
    if (known === undefined) return;
    this.delete(key);
    this.#add({ ...known, createRevision: Number.POSITIVE_INFINITY, stands: undefined, rival: undefined });
  }

  delete(key: LeaseKey): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const isRightful = this.#byMark.isRightful(entry);
    this.#entries.delete(key);
    this.#bySubnet.delete(entry);
    this.#byMark.delete(entry);
    if (entry.stands || isRightful) this.#falls(entry);
  }

  /** Undefined when the lease stands, or is not known. */
  obstacle(key: LeaseKey): Obstacle | undefined {
    const entry = this.#entries.get(key);
    const rival = entry?.rival;
    if (!entry || !rival) return undefined;
    if (rival.kind === 'mark') {
      const why = rival.byRight ? 'whose subnet it follows from' : 'whose lease is older';
      return { kind: 'mark', reason: `its ${entry.mark} is that of ${rival.publicIp}, ${why}` };
    }
    const { subnet, publicIp } = rival.entry;
    return { kind: 'overlap', reason: `overlaps ${formatPrefix(subnet)} of ${publicIp}, which is older` };
  }

  /** Looks at what is to be looked at. Yields each lease that was put, and each that has another obstacle, or none any more. */
  *settle(): Generator<LeaseKey> {
    for (let entry = this.#queue.take(); entry !== undefined; entry = this.#queue.take()) {
      if (this.#entries.get(entry.key) !== entry) continue;
      const [stood, before] = [entry.stands, entry.rival];
      entry.rival = this.#rivalOf(entry);
      entry.stands = entry.rival === undefined;
      if (entry.stands && !stood) this.#rises(entry);
      if (!entry.stands && stood) this.#falls(entry);
      if (stood === undefined || !isSame(before, entry.rival)) yield entry.key;
    }
  }

  #add(entry: Entry): void {
    this.#entries.set(entry.key, entry);
    this.#bySubnet.add(entry);
    this.#byMark.add(entry);
    this.#queue.add(entry);
    if (this.#byMark.isRightful(entry))
      for (const other of this.#byMark.others(entry)) this.#queue.add(other);
  }

  #rivalOf(entry: Entry): Rival | undefined {
    const isInTheWay = (other: Entry) => other.stands === true && isOlder(other, entry);
    const overlapping = this.#bySubnet.first(entry.subnet, isInTheWay);
    if (overlapping) return { kind: 'overlap', entry: overlapping };
    const rightful = this.#byMark.rightfulOthers(entry);
    const isRightful = this.#byMark.isRightful(entry);
    const [owner] = isRightful ? [] : rightful.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    if (owner) return { kind: 'mark', publicIp: owner.publicIp, byRight: true };
    const marked = (isRightful ? rightful : this.#standingByMark.others(entry)).find(isInTheWay);
    return marked && { kind: 'mark', publicIp: marked.publicIp, byRight: false };
  }

  /** Whoever is younger and in its way falls, or is refused on account of this one from now on. */
  #rises(entry: Entry): void {
    this.#standingByMark.add(entry);
    for (const other of this.#bySubnet.overlapping(entry.subnet))
      if (isOlder(entry, other)) this.#queue.add(other);
    for (const other of this.#byMark.others(entry))
      if (other.stands && isOlder(entry, other)) this.#queue.add(other);
  }

  /** Those that were refused on account of it may rise. */
  #falls(entry: Entry): void {
    this.#standingByMark.delete(entry);
    for (const other of this.#bySubnet.overlapping(entry.subnet))
      if (other.rival?.kind === 'overlap' && other.rival.entry === entry) this.#queue.add(other);
    for (const other of this.#byMark.others(entry))
      if (other.rival?.kind === 'mark' && other.rival.publicIp === entry.publicIp) this.#queue.add(other);
  }
}

function isSame(a: Rival | undefined, b: Rival | undefined): boolean {
  if (a?.kind === 'overlap') return b?.kind === 'overlap' && a.entry === b.entry;
  if (a === undefined || b?.kind !== 'mark') return a === b;
  return a.publicIp === b.publicIp && a.byRight === b.byRight;
}
