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
import type * as grpc from '@grpc/grpc-js';
import type * as etcd3 from 'etcd3';
import { isAuthDisabled, isMemberFailure, isStaleToken } from './etcd-errors.js';
import { KVClient, LeaseClient, Metadata, WatchClient } from './etcd-library.js';
import {
  callMember,
  isConnected,
  isReady,
  type Member,
  newMember,
  type Service,
  type UnaryCall,
  unlessAborted,
} from './etcd-member.js';
import type { EtcdOptions } from './etcd-options.js';
import type { EtcdTls } from './etcd-tls.js';

export interface EtcdClients {
  readonly kv: etcd3.KVClient;
  readonly lease: etcd3.LeaseClient;
  readonly watch: etcd3.WatchClient;
}

export class EtcdConnection {
  readonly #options: EtcdOptions;
  #tls: EtcdTls | undefined;
  #members: readonly Member[] = [];
  #generation = 0;
  readonly #user: EtcdOptions['user'];
  readonly #closing = new AbortController();
  /** Index of the member that calls begin with; at first any, so that hosts spread over the members. */
  #preferred: number;
  #hasServed = false;
  /** What goes with every call; undefined until logged in. */
  #metadata: Promise<grpc.Metadata> | undefined;

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#user = options.user;
    this.redial();
    this.#preferred = Math.floor(Math.random() * this.#members.length);
  }

  /** Whether a call was ever answered. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** Undefined in plain text. */
  get tls(): EtcdTls | undefined {
    return this.#tls;
  }

  /**
   * New connections from now on: those in use begin at an address that this host has no more, or with a certificate
   * that is no good any more. Calls under way fail.
   */
  redial(): void {
    const former = this.#members;
    this.#generation += 1;
    this.#members = this.#options.addresses.map((address) => newMember(address, this.#tls, this.#generation));
    for (const member of former) member.close();
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
    this.#preferred = (this.#preferred + 1) % this.#members.length;
  }

  /** Calls in flight end by their signal or their deadline. */
  close(): void {
    this.#closing.abort(new Error('the connection to etcd was closed'));
    for (const member of this.#members) member.close();
  }

  #callable(signal: AbortSignal): etcd3.ICallable<Member> {
    return {
      callOptionsFactory: undefined,
      markFailed: (member, error) => this.#failed(member, error),
      exec: <T>(service: Service, method: string, payload: unknown) =>
        this.#call({ service, method, payload, signal }) as Promise<T>,
      withConnection: async (service, open) => {
        const member = await this.#pick(service, signal);
        const metadata = await this.#login(signal);
        return open({ resource: member, client: member.getServiceClient(service), metadata });
      },
    };
  }

  async #call(call: UnaryCall): Promise<unknown> {
    const member = await this.#pick(call.service, call.signal);
    try {
      const answer = await this.#callAsUser(member, call);
      this.#hasServed = true;
      return answer;
    } catch (error) {
      this.#failed(member, error);
      throw error;
    }
  }

  async #callAsUser(member: Member, call: UnaryCall): Promise<unknown> {
    try {
      return await callMember(member, call, await this.#login(call.signal));
    } catch (error) {
      if (!this.#user || !isStaleToken(error)) throw error;
      this.forgetToken();
      return callMember(member, call, await this.#login(call.signal));
    }
  }

  /** A connected member; where there is none, one whose call will tell why. */
  async #pick(service: Service, signal: AbortSignal): Promise<Member> {
    const preferred = this.#preferred;
    if (!isReady(this.#members[preferred]!, service)) await this.#useNewCertificates();
    for (let step = 0; step < this.#members.length; step++) {
      const index = (preferred + step) % this.#members.length;
      if (await isConnected(this.#members[index]!, service, signal)) {
        this.#preferred = index;
        return this.#members[index]!;
      }
    }
    return this.#members[preferred]!;
  }

  async #useNewCertificates(): Promise<void> {
    const tls = await this.#options.tlsFiles?.readAgain();
    if (!tls) return;
    this.#tls = tls;
    this.redial();
  }

  #failed(member: Member, error: unknown): void {
    if (isStaleToken(error)) this.forgetToken();
    if (isMemberFailure(error) && this.#members[this.#preferred] === member) this.tryAnother();
  }

  #login(signal: AbortSignal): Promise<grpc.Metadata> {
    if (!this.#metadata) {
      const login = this.#authenticate();
      this.#metadata = login;
      login.catch(() => {
        if (this.#metadata === login) this.forgetToken();
      });
    }
    return unlessAborted(this.#metadata, signal);
  }

  async #authenticate(): Promise<grpc.Metadata> {
    const metadata = new Metadata();
    // A member that is cut off from the others says so at once instead of being silent.
    metadata.set('hasleader', 'true');
    if (!this.#user) return metadata;
    const signal = this.#closing.signal;
    const member = await this.#pick('Auth', signal);
    const payload = { name: this.#user.name, password: this.#user.password };
    const call = { service: 'Auth', method: 'authenticate', payload, signal } as const;
    try {
      const answer = (await callMember(member, call, metadata)) as etcd3.IAuthenticateResponse;
      metadata.set('token', answer.token);
    } catch (error) {
      if (!isAuthDisabled(error)) throw error;
    }
    return metadata;
  }
}
