/** Things to look at, the oldest first, each once however often it was put in. A binary heap: log n for each. */
export class AgeQueue<T extends object> {
  readonly #isOlder: (a: T, b: T) => boolean;
  readonly #heap: T[] = [];
  readonly #waiting = new Set<T>();

  constructor(isOlder: (a: T, b: T) => boolean) {
    this.#isOlder = isOlder;
  }

  add(item: T): void {
    if (this.#waiting.has(item)) return;
    this.#waiting.add(item);
    let at = this.#heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isOlder(this.#heap[at]!, this.#heap[parent]!)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  take(): T | undefined {
    const [oldest] = this.#heap;
    const last = this.#heap.pop();
    if (oldest === undefined || last === undefined) return undefined;
    this.#waiting.delete(oldest);
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return oldest;
  }

  #sink(): void {
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#isOlder(this.#heap[child]!, this.#heap[least]!)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}
