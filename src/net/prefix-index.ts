import { firstAddress, lastAddress, type Prefix } from './prefix.js';

interface Item {
  /** Without host bits. */
  readonly subnet: Prefix;
  /** Unique; puts items of one subnet in order. */
  readonly key: string;
}

/** Items of one prefix length, by address and then key. */
type Row<T> = T[];

/**
 * Things that have a prefix each, found by what overlaps it: a binary search for each prefix length in use, and then
 * one step for each that is found. Adding and deleting move what comes after, which for ten thousand is microseconds.
 */
export class PrefixIndex<T extends Item> {
  readonly #rows = new Map<number, Row<T>>();

  add(item: T): void {
    const { length } = item.subnet;
    const row = this.#rows.get(length) ?? [];
    this.#rows.set(length, row);
    row.splice(placeOf(row, item.subnet.address, item.key), 0, item);
  }

  delete(item: T): void {
    const { address, length } = item.subnet;
    const row = this.#rows.get(length);
    if (row === undefined) return;
    const at = placeOf(row, address, item.key);
    if (row[at] === item) row.splice(at, 1);
    if (row.length === 0) this.#rows.delete(length);
  }

  /** All that overlap it, itself included. */
  *overlapping(prefix: Prefix): Generator<T> {
    for (const length of this.#rows.keys()) yield* this.#inRow(length, prefix);
  }

  /** Of those that overlap it and fit, the one with the lowest address, and of such the widest. */
  first(prefix: Prefix, fits: (item: T) => boolean): T | undefined {
    let best: T | undefined;
    for (const length of this.#rows.keys()) {
      for (const item of this.#inRow(length, prefix)) {
        if (!fits(item)) continue;
        if (best === undefined || comesBefore(item.subnet, best.subnet)) best = item;
        break;
      }
    }
    return best;
  }

  *#inRow(length: number, prefix: Prefix): Generator<T> {
    const row = this.#rows.get(length)!;
    const from = firstAddress({ address: prefix.address, length: Math.min(length, prefix.length) });
    const to = lastAddress(prefix);
    for (let at = placeOf(row, from, ''); at < row.length; at++) {
      if (row[at]!.subnet.address > to) return;
      yield row[at]!;
    }
  }
}

function comesBefore(a: Prefix, b: Prefix): boolean {
  return a.address < b.address || (a.address === b.address && a.length < b.length);
}

/** Where it is, or would be. */
function placeOf<T extends Item>(row: Row<T>, address: number, key: string): number {
  let [low, high] = [0, row.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const { subnet, key: other } = row[middle]!;
    if (subnet.address < address || (subnet.address === address && other < key)) low = middle + 1;
    else high = middle;
  }
  return low;
}
