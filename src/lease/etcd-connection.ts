/**
 * Calls to one of several etcd members: which member, as whom, and for how long. This stands in for the connection
 * pool of etcd3, whose RPC clients and protocol files are used; the pool keeps an expired token for ever on streams,
 * opens a channel per log-in that it never closes, gives up when authentication is not enabled, and repeats calls
 * that must not be repeated blindly.
 *
 *     call ──▶ a member that is connected ──▶ token, if there is a user ──▶ the call, with a deadline
 *              the last that served, or the      a stale one is renewed,       unavailable or late: the next call
 *              next one that can be dialled      and the call made again       begins with another member
 *
 * So a dead member costs one dial, and no call hangs. A call that was sent is not sent again: it may have been carried out.
 */
import { setMaxListeners } from 'node:events';
import { type Client, connectivityState, credentials, Metadata } from '@grpc/grpc-js';
import { type AuthClient, type ICallable, KVClient, LeaseClient, WatchClient } from 'etcd3';
import { Host } from 'etcd3/lib/connection-pool.js';
import { isAuthDisabled, isMemberFailure, isStaleToken } from './etcd-errors.js';
import type { EtcdOptions, EtcdTls } from './etcd-options.js';

/** How long etcd may take to answer; five of its default election timeouts. */
export const CALL_MS = 5_000;

/** How long a member may take to accept a connection before the next is tried. */
const DIAL_MS = 2_000;

const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  // etcd answers pings that come faster than one in 5 s by closing the connection (--grpc-keepalive-min-time).
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // The callers back off by themselves; a member that is back should be seen at once.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
};

export interface EtcdClients {
  readonly kv: KVClient;
  readonly lease: LeaseClient;
  readonly watch: WatchClient;
}

type Service = Parameters<ICallable<Host>['exec']>[0];

export class EtcdConnection {
  readonly #hosts: readonly Host[];
  readonly #user: EtcdOptions['user'];
  readonly #closing = new AbortController();
  /** Index of the member that calls begin with; at first any, so that hosts spread over the members. */
  #preferred: number;
  /** What goes with every call; undefined until logged in. */
  #metadata: Promise<Metadata> | undefined;

  constructor(options: EtcdOptions) {
    const channelCredentials = options.tls ? tlsCredentials(options.tls) : credentials.createInsecure();
    this.#hosts = options.addresses.map((address) => new Host(address, channelCredentials, CHANNEL_OPTIONS));
    this.#user = options.user;
    this.#preferred = Math.floor(Math.random() * this.#hosts.length);
  }

  /** Clients whose calls reject with gRPC's errors, and are cancelled when the signal is aborted. */
  clients(signal: AbortSignal): EtcdClients {
    // One signal ends all that the daemon does: many listeners are no leak.
    setMaxListeners(0, signal);
    const callable = this.#callable(signal);
    return {
      kv: new KVClient(callable),
      lease: new LeaseClient(callable),
      watch: new WatchClient(callable),
    };
  }

  /** Log in again before the next call: a watch does not say that the token is what it was denied for. */
  forgetToken(): void {
    this.#metadata = undefined;
  }

  /** Begin with another member: the one in use is connected, but silent. */
  tryAnother(): void {
    this.#preferred = (this.#preferred + 1) % this.#hosts.length;
  }

  /** Calls in flight end by their signal or their deadline. */
  close(): void {
    this.#closing.abort(new Error('the connection to etcd was closed'));
    for (const host of this.#hosts) host.close();
  }

  #callable(signal: AbortSignal): ICallable<Host> {
    return {
      callOptionsFactory: undefined,
      markFailed: (host, error) => this.#failed(host, error),
      exec: <T>(service: Service, method: string, payload: unknown) =>
        this.#exec({ service, method, payload, signal }) as Promise<T>,
      withConnection: async (service, open) => {
        const host = await this.#pick(service, signal);
        const metadata = await this.#login(signal);
        return open({ resource: host, client: host.getServiceClient(service), metadata });
      },
    };
  }

  async #exec(call: UnaryCall): Promise<unknown> {
    const host = await this.#pick(call.service, call.signal);
    const client = host.getServiceClient(call.service);
    try {
      const login = this.#login(call.signal);
      const used = this.#metadata;
      try {
        return await unary(client, call, await login);
      } catch (error) {
        if (!this.#user || !isStaleToken(error)) throw error;
        if (this.#metadata === used) this.forgetToken();
        return await unary(client, call, await this.#login(call.signal));
      }
    } catch (error) {
      this.#failed(host, error);
      throw error;
    }
  }

  /** A connected member; where there is none, one whose call will tell why. */
  async #pick(service: Service, signal: AbortSignal): Promise<Host> {
    const preferred = this.#preferred;
    for (let step = 0; step < this.#hosts.length; step++) {
      const index = (preferred + step) % this.#hosts.length;
      const host = this.#hosts[index]!;
      if (await connected(host.getServiceClient(service), signal)) {
        this.#preferred = index;
        return host;
      }
    }
    return this.#hosts[preferred]!;
  }

  #failed(host: Host, error: unknown): void {
    if (isStaleToken(error)) this.forgetToken();
    if (isMemberFailure(error) && this.#hosts[this.#preferred] === host) this.tryAnother();
  }

  #login(signal: AbortSignal): Promise<Metadata> {
    if (!this.#metadata) {
      const login = this.#authenticate();
      this.#metadata = login;
      login.catch(() => {
        if (this.#metadata === login) this.forgetToken();
      });
    }
    return unlessAborted(this.#metadata, signal);
  }

  async #authenticate(): Promise<Metadata> {
    const metadata = new Metadata();
    // A member that is cut off from the others says so at once instead of being silent.
    metadata.set('hasleader', 'true');
    if (!this.#user) return metadata;
    const signal = this.#closing.signal;
    const host = await this.#pick('Auth', signal);
    const payload = { name: this.#user.name, password: this.#user.password };
    try {
      const client = host.getServiceClient('Auth');
      const answer = await unary(
        client,
        { service: 'Auth', method: 'authenticate', payload, signal },
        metadata,
      );
      metadata.set('token', (answer as Awaited<ReturnType<AuthClient['authenticate']>>).token);
    } catch (error) {
      if (!isAuthDisabled(error)) throw error;
    }
    return metadata;
  }
}

interface UnaryCall {
  readonly service: Service;
  readonly method: string;
  readonly payload: unknown;
  readonly signal: AbortSignal;
}

function tlsCredentials({ ca, identity }: EtcdTls) {
  return credentials.createSsl(ca, identity?.key, identity?.certificate);
}

type Method = (
  payload: unknown,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: Error | null, answer?: unknown) => void,
) => { cancel(): void };

function unary(client: Client, { method, payload, signal }: UnaryCall, metadata: Metadata): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const send = (client as unknown as Readonly<Record<string, Method>>)[method]!.bind(client);
    const call = send(payload, metadata, { deadline: Date.now() + CALL_MS }, (error, answer) => {
      signal.removeEventListener('abort', cancel);
      if (error) reject(error);
      else resolve(answer);
    });
    const cancel = () => call.cancel();
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
  });
}

/** Dials if need be. False when the dial failed, took too long, or the signal was aborted. */
function connected(client: Client, signal: AbortSignal): Promise<boolean> {
  const channel = client.getChannel();
  const deadline = Date.now() + DIAL_MS;
  const dial = new Promise<boolean>((resolve) => {
    const look = (late?: Error) => {
      if (late) return resolve(false);
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) resolve(true);
      else if (state === connectivityState.CONNECTING || state === connectivityState.IDLE)
        channel.watchConnectivityState(state, deadline, look);
      else resolve(false);
    };
    look();
  });
  return unlessAborted(dial, signal).catch(() => false);
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
