interface Marked {
  readonly mark: string | undefined;
  readonly publicIp: string;
}

interface Group<T> {
  readonly items: T[];
  /** The public IP of them all; undefined when there were several. */
  host: string | undefined;
}

/** Leases by the mark that they carry. Mostly each has its own, so those of a group are gone through one by one. */
export class MarkGroups<T extends Marked> {
  readonly #groups = new Map<string, Group<T>>();

  add(item: T): void {
    if (item.mark === undefined) return;
    const group = this.#groups.get(item.mark);
    if (group === undefined) {
      this.#groups.set(item.mark, { items: [item], host: item.publicIp });
      return;
    }
    group.items.push(item);
    if (group.host !== item.publicIp) group.host = undefined;
  }

  delete(item: T): void {
    if (item.mark === undefined) return;
    const items = this.#groups.get(item.mark)?.items ?? [];
    const at = items.indexOf(item);
    if (at === -1) return;
    if (items.length === 1) this.#groups.delete(item.mark);
    else items.splice(at, 1);
  }

  /** Those of other hosts with the same mark. */
  others(item: T): readonly T[] {
    const group = this.#groups.get(item.mark ?? '');
    if (group === undefined || group.host === item.publicIp) return [];
    return group.items.filter(({ publicIp }) => publicIp !== item.publicIp);
  }
}
