import type { Logger } from 'pino';
import { type LodenError, StoreDeniedError } from '../errors.js';

/** Who asks etcd all the time, each over a connection and with rights of its own. */
export type Asker = 'watch' | 'lease';

/** Why etcd gave no answer, or not the one that was asked for. */
export interface Silence {
  readonly reason: string;
  /** It did answer: that we may not. */
  readonly refused: boolean;
}

export function silenceOf(error: LodenError): Silence {
  return { reason: error.message, refused: error instanceof StoreDeniedError };
}

/**
 * Whether etcd answers. The watch and the renewal of our lease notice each for themselves, and the log says it once:
 * when the first of them notices that etcd is away, when what was an outage becomes a refusal, and when both are served again.
 */
export class Contact {
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #silent = new Map<Asker, Silence>();
  #toldRefusal = false;
  #lastAwayMs = Number.NEGATIVE_INFINITY;

  /** `silence`: etcd is known to be away from the start, and the log knows it. */
  constructor(log: Logger, onChange: () => void, silence?: Silence) {
    this.#log = log;
    this.#onChange = onChange;
    if (!silence) return;
    this.#silent.set('watch', silence);
    this.#toldRefusal = silence.refused;
  }

  /** Why etcd is away; undefined while it answers. */
  get silence(): Silence | undefined {
    return this.#silent.values().next().value;
  }

  /** It is away, or came back less than so many milliseconds ago. */
  wasAwayWithin(ms: number): boolean {
    return this.#silent.size > 0 || performance.now() - this.#lastAwayMs < ms;
  }

  lost(asker: Asker, silence: Silence): void {
    const first = this.#silent.size === 0;
    const isNews = first || (silence.refused && !this.#toldRefusal);
    this.#silent.set(asker, silence);
    if (!isNews) return;
    this.#toldRefusal = silence.refused;
    const { reason } = silence;
    if (silence.refused) this.#log.warn({ reason }, 'etcd refuses us; packets still flow');
    else this.#log.warn({ reason }, 'etcd is out of reach; packets still flow');
    this.#onChange();
  }

  back(asker: Asker): void {
    if (!this.#silent.delete(asker) || this.#silent.size > 0) return;
    this.#lastAwayMs = performance.now();
    this.#toldRefusal = false;
    this.#log.info('etcd is back');
    this.#onChange();
  }
}
