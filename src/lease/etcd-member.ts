/** One member of etcd: its gRPC channels, a dial that ends in time, and a call that ends in time. */
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { Client, Metadata } from '@grpc/grpc-js';
import type { ICallable } from 'etcd3';
import { connectivityState, credentials, Host } from './etcd-library.js';
import type { EtcdTls } from './etcd-tls.js';

/** How long etcd may take to answer; five of its default election timeouts. */
export const CALL_MS = 5_000;

/** How long a member may take to accept a connection before the next is tried. */
const DIAL_MS = 2_000;

/**
 * The longest answer, in bytes. A page of leases has some 200 kB; but etcd takes values of 1.5 MB from whoever may write
 * leases, and an answer full of them would be gigabytes in memory.
 */
const LONGEST_ANSWER = 2 ** 25;

const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': LONGEST_ANSWER,
  'grpc.max_send_message_length': -1,
  // etcd answers pings that come faster than one in 5 s by closing the connection (--grpc-keepalive-min-time).
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // The callers back off by themselves; a member that is back should be seen at once.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
};

export type Member = InstanceType<typeof Host>;
export type Service = Parameters<ICallable<Member>['exec']>[0];

/**
 * `address` is `host:port`. Nothing is dialled yet. gRPC shares connections between members that are the same in all
 * options: one with another `generation` has its own.
 */
export function newMember(address: string, tls: EtcdTls | undefined, generation: number): Member {
  const options = { ...CHANNEL_OPTIONS, 'loden.generation': generation };
  if (!tls) return new Host(address, credentials.createInsecure(), options);
  const ip = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const identity = [tls.identity?.key, tls.identity?.certificate] as const;
  if (!isIP(ip)) return new Host(address, credentials.createSsl(tls.ca, ...identity), options);
  // An IP address is no TLS server name, and Node warns of it; the certificate is checked against it all the same.
  const checkIp = {
    checkServerIdentity: (_name: string, peer: PeerCertificate) => checkServerIdentity(ip, peer),
  };
  const named = { ...options, 'grpc.ssl_target_name_override': 'etcd' };
  return new Host(address, credentials.createSsl(tls.ca, ...identity, checkIp), named);
}

/** Whether a call can be made without a dial. */
export function isReady(member: Member, service: Service): boolean {
  return (
    member.getServiceClient(service).getChannel().getConnectivityState(false) === connectivityState.READY
  );
}

/** Dials if need be. False when the dial failed, took too long, or the signal was aborted. */
export function isConnected(member: Member, service: Service, signal: AbortSignal): Promise<boolean> {
  const channel = member.getServiceClient(service).getChannel();
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

export interface UnaryCall {
  readonly service: Service;
  readonly method: string;
  readonly payload: unknown;
  readonly signal: AbortSignal;
}

type Method = (
  payload: unknown,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: Error | null, answer?: unknown) => void,
) => { cancel(): void };

/** Rejects with gRPC's error, which after an abort is that of a cancelled call. */
export function callMember(
  member: Member,
  { service, method, payload, signal }: UnaryCall,
  metadata: Metadata,
): Promise<unknown> {
  const client: Client = member.getServiceClient(service);
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

/** Rejects with the signal's reason as soon as it is aborted; what was begun goes on unheard. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
