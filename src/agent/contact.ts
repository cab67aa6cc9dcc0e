import type { Logger } from 'pino';

/**
 * Whether etcd answers. The watch and the renewal of our lease notice each for themselves, and the log says it once:
 * when the first of them notices that etcd is away, and when the first notices that it is back.
 */
export class Contact {
  readonly #log: Logger;
  #away = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  lost(reason: string): void {
    if (!this.#away) this.#log.warn({ reason }, 'etcd is out of reach; packets still flow');
    this.#away = true;
  }

  back(): void {
    if (this.#away) this.#log.info('etcd is back');
    this.#away = false;
  }
}
