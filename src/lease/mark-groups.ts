interface Marked {
  readonly mark: string | undefined;
  readonly publicIp: string;
}

interface Group<T> {
  readonly items: T[];
  /** The public IP of them all; undefined when there were several. */
  host: string | undefined;
  /** Those that have the mark by right; undefined until somebody asks. */
  rightful: T[] | undefined;
}

/** Leases by the mark that they carry. Mostly each has its own, so those of a group are gone through one by one. */
export class MarkGroups<T extends Marked> {
  readonly #hasRight: (item: T) => boolean;
  readonly #groups = new Map<string, Group<T>>();

  /** `hasRight` costs some microseconds, and is asked only where several hosts have one mark. */
  constructor(hasRight: (item: T) => boolean) {
    this.#hasRight = hasRight;
  }

  add(item: T): void {
    if (item.mark === undefined) return;
    const group = this.#groups.get(item.mark);
    if (group === undefined) {
      this.#groups.set(item.mark, { items: [item], host: item.publicIp, rightful: undefined });
      return;
    }
    group.items.push(item);
    if (group.host !== item.publicIp) group.host = undefined;
    if (group.rightful && this.#hasRight(item)) group.rightful.push(item);
  }

  delete(item: T): void {
    const group = this.#groups.get(item.mark ?? '');
    if (group === undefined) return;
    remove(group.items, item);
    if (group.rightful) remove(group.rightful, item);
    if (group.items.length === 0) this.#groups.delete(item.mark!);
  }

  /** Those of other hosts with the same mark. */
  others(item: T): readonly T[] {
    return this.#sharedBy(item)?.items.filter(({ publicIp }) => publicIp !== item.publicIp) ?? [];
  }

  /** The same, of those that have it by right. */
  rightfulOthers(item: T): readonly T[] {
    return this.#rightful(item).filter(({ publicIp }) => publicIp !== item.publicIp);
  }

  /** Whether it has by right a mark that other hosts have too. */
  isRightful(item: T): boolean {
    return this.#rightful(item).includes(item);
  }

  #rightful(item: T): readonly T[] {
    const group = this.#sharedBy(item);
    if (group === undefined) return [];
    group.rightful ??= group.items.filter(this.#hasRight);
    return group.rightful;
  }

  #sharedBy(item: T): Group<T> | undefined {
    const group = this.#groups.get(item.mark ?? '');
    return group?.host === item.publicIp ? undefined : group;
  }
}

function remove<T>(items: T[], item: T): void {
  const at = items.indexOf(item);
  if (at !== -1) items.splice(at, 1);
}
