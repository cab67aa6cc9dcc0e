/** A TCP relay on loopback between a store and its etcd, to cut the line without touching either. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Relay {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #silent = false;

  readonly #host: string;

  private constructor(target: string, host: string) {
    this.#host = host;
    const [name, port] = target.split(':');
    this.#target = { host: name!, port: Number(port) };
  }

  static async to(target: string, host = '127.0.0.1'): Promise<Relay> {
    const relay = new Relay(target, host);
    await relay.mend();
    return relay;
  }

  get address(): string {
    return `${this.#host}:${this.#port}`;
  }

  /** Connections are reset, and new ones refused. */
  async cut(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    server.close();
    await once(server, 'close');
  }

  /** Connections stay and new ones are accepted, but nothing comes through. */
  silence(): void {
    this.#silent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  async mend(): Promise<void> {
    this.#silent = false;
    for (const socket of this.#sockets) socket.resume();
    if (this.#server) return;
    this.#server = createServer((near) => this.#join(near)).listen(this.#port, this.#host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as { port: number }).port;
  }

  #join(near: Socket): void {
    const far = connect(this.#target);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (data) => to.write(data));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#silent) from.pause();
    }
  }
}
