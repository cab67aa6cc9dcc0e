import type { Kernel, Ownership } from '../../src/kernel/kernel.js';
import { type KernelObject, keyOf } from '../../src/kernel/objects.js';

const DEADLINE_MS = 10_000;

/** The state of a kernel as a dump and then events tell it, for tests; overflows are noted, not acted upon. */
export class Mirror {
  readonly state: Map<string, KernelObject>;
  readonly overflows: string[] = [];
  readonly #controller: AbortController;
  readonly #following: Promise<void>;
  #changed: () => void = () => undefined;

  static async start(kernel: Kernel, owned: Ownership): Promise<Mirror> {
    const controller = new AbortController();
    const events = kernel.events(owned, controller.signal);
    const dump = await kernel.dump({ ...owned, sysctls: [] }, AbortSignal.timeout(DEADLINE_MS));
    return new Mirror(new Map(dump), events, controller);
  }

  private constructor(
    state: Map<string, KernelObject>,
    events: ReturnType<Kernel['events']>,
    controller: AbortController,
  ) {
    this.state = state;
    this.#controller = controller;
    this.#following = this.#follow(events);
    this.#following.catch(() => undefined); // a test that fails does not get as far as `stop`
  }

  async #follow(events: ReturnType<Kernel['events']>): Promise<void> {
    for await (const batch of events) {
      for (const event of batch) {
        if (event.kind === 'set') this.state.set(keyOf(event.object), event.object);
        else if (event.kind === 'gone') this.state.delete(event.key);
        else this.overflows.push(event.reason);
      }
      this.#changed();
    }
  }

  /** Waits until the state is as it should be; rejects after ten seconds. */
  async until(holds: (state: ReadonlyMap<string, KernelObject>) => boolean): Promise<void> {
    const late = AbortSignal.timeout(DEADLINE_MS);
    while (!holds(this.state)) {
      await new Promise<void>((resolve, reject) => {
        this.#changed = resolve;
        late.addEventListener('abort', () => reject(new Error(`not so within ${DEADLINE_MS} ms`)), {
          once: true,
        });
      });
    }
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#following;
  }
}
