import type { KernelEvent } from '../../src/kernel/kernel.js';
import type { KernelObject } from '../../src/kernel/objects.js';

/** Events for one listener of the fake kernel, in batches of all that has gathered. */
export class EventStream implements AsyncIterable<readonly KernelEvent[]> {
  /** Events are lost while this is set. */
  deaf = false;
  readonly #concerns: (object: KernelObject) => boolean;
  #waiting: KernelEvent[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(concerns: (object: KernelObject) => boolean) {
    this.#concerns = concerns;
  }

  tellAbout(event: KernelEvent, object: KernelObject): void {
    if (this.#concerns(object)) this.tell(event);
  }

  tell(event: KernelEvent): void {
    if (this.deaf) return;
    this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly KernelEvent[]> {
    for (;;) {
      while (!this.#ended && this.#waiting.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (this.#ended) return;
      yield this.#waiting.splice(0);
    }
  }
}
