/**
 * What etcd and gRPC answer when they refuse or fail, as errors of ours that say what to do.
 *
 * Status codes and texts: etcd, api/v3rpc/rpctypes/error.go. Their texts hold no secrets, and neither do ours.
 */
import { LodenError, StoreDeniedError, StoreUnavailableError } from '../errors.js';
import { configPath, subnetsPath } from './codec.js';
import type { EtcdOptions } from './etcd-options.js';

/** gRPC's status codes that are told apart. */
const Status = {
  deadlineExceeded: 4,
  permissionDenied: 7,
  unavailable: 14,
} as const;

/** What @grpc/grpc-js rejects with. */
interface GrpcError extends Error {
  readonly code: number;
  readonly details: string;
}

function isGrpcError(error: unknown): error is GrpcError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

/** The token that we hold is not, or no longer, what etcd wants: authenticate and call again. */
export function isStaleToken(error: unknown): boolean {
  return says(error, 'invalid auth token', 'revision of auth store is old', 'user name is empty');
}

export function isAuthDisabled(error: unknown): boolean {
  return says(error, 'authentication is not enabled');
}

/** Another member may do better. */
export function isMemberFailure(error: unknown): boolean {
  return isGrpcError(error) && (error.code === Status.unavailable || error.code === Status.deadlineExceeded);
}

export function isCompacted(error: unknown): boolean {
  return says(error, 'required revision has been compacted');
}

/** gRPC's word: the answer is longer than we take. */
export function isTooLong(error: unknown): boolean {
  return says(error, 'message larger than max');
}

export function isLeaseNotFound(error: unknown): boolean {
  return says(error, 'requested lease not found');
}

/** etcd understood the call and refused it: nothing was done. */
export function isDenied(error: unknown): boolean {
  return (
    says(error, 'authentication failed', 'user name is empty', 'permission denied') ||
    (isGrpcError(error) && error.code === Status.permissionDenied)
  );
}

/** With `hasServed` it answered us before, so it is not how we ask that is wrong. */
export interface Asked extends EtcdOptions {
  readonly hasServed?: boolean;
}

export function storeError(error: unknown, options: Asked): LodenError {
  if (error instanceof LodenError) return error;
  const where = `etcd at ${options.addresses.join(', ')}`;
  if (isDenied(error)) return new StoreDeniedError(`${where} ${denial(error, options)}`, { cause: error });
  if (isCertificateRefused(error, options))
    return new StoreDeniedError(`${where} ${failure(error, options)}`, { cause: error });
  return new StoreUnavailableError(`${where} ${failure(error, options)}`, { cause: error });
}

function denial(error: unknown, options: EtcdOptions): string {
  const user = options.user ? `user "${options.user.name}"` : 'our certificate, whose CN is the user,';
  if (says(error, 'authentication failed'))
    return `does not know ${user} by this password: check --etcd-username and --etcd-password`;
  if (says(error, 'user name is empty'))
    return 'wants to know who asks: give --etcd-username and --etcd-password, or a client certificate';
  return (
    `does not permit ${user} to do this: its role needs read on the key ${configPath(options.prefix)} and ` +
    `readwrite on the prefix ${subnetsPath(options.prefix)}`
  );
}

function failure(error: unknown, options: Asked): string {
  if (!isGrpcError(error)) return `failed: ${error instanceof Error ? error.message : String(error)}`;
  if (says(error, 'database space exceeded'))
    return 'takes no writes, its space is used up: compact and defragment it, then `etcdctl alarm disarm`';
  if (error.details.startsWith('etcdserver:') || error.details.startsWith('mvcc:'))
    return `answered "${error.details}"`;
  if (says(error, 'Call ended without gRPC status')) return 'ended the connection';
  if (!isMemberFailure(error)) return `failed: ${error.details}`;
  const reason = lastError(error.details);
  return `does not answer${reason && `: ${reason}`}${likelyCause(error.details, options)}`;
}

/**
 * gRPC wraps what went wrong with the connection, `No connection established. Last error: Error: connect …`, and
 * OpenSSL what went wrong with TLS, `80AC…:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:…`.
 */
function lastError(details: string): string {
  const last =
    /Last error: (?:Error: )?(.*?)(?: \([^()]*\))?(?:\. Resolution note:.*)?$/s.exec(details)?.[1] ?? details;
  // What it says when the dial took too long.
  if (last === 'null') return '';
  return /SSL routines:[^:]*:([^:]+)/.exec(last)?.[1] ?? last.trim();
}

/** etcd says so by an alert; ours, that its certificate is no good, are no alerts. */
function isCertificateRefused(error: unknown, { tls }: EtcdOptions): boolean {
  return (
    isMemberFailure(error) && tls?.identity !== undefined && /\balert\b/.test((error as GrpcError).details)
  );
}

function likelyCause(details: string, options: Asked): string {
  const { tls } = options;
  const noIdentity = tls && !tls.identity;
  if (/alert/.test(details) && !noIdentity)
    return `; etcd does not accept our client certificate${expiry(options)}`;
  if (/certificate has expired/.test(details))
    return '; that is the certificate of etcd, if the clock here is right';
  if (/certificate|altnames/i.test(details) && !/alert/.test(details))
    return '; --etcd-cafile must be of the CA that signed the certificate of etcd, and the endpoint a name in it';
  if (/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|Name resolution/.test(details)) return '';
  if (/before secure TLS connection/.test(details))
    return '; if it speaks no TLS, the endpoint must begin with http://, and if it asks for a client certificate, give --etcd-certfile and --etcd-keyfile';
  if (options.hasServed) return '';
  if (!tls) return '; if it speaks TLS, the endpoint must begin with https://';
  // Depending on the moment etcd sends an alert, or is silent.
  if (noIdentity) return '; if it asks for a client certificate, give --etcd-certfile and --etcd-keyfile';
  return '';
}

function expiry({ tls }: EtcdOptions): string {
  const expiresMs = tls?.identity?.expiresMs ?? Number.POSITIVE_INFINITY;
  if (!(expiresMs < Date.now())) return '';
  return `, which expired on ${new Date(expiresMs).toISOString().slice(0, 10)}: put another in its place`;
}

function says(error: unknown, ...texts: readonly string[]): boolean {
  return error instanceof Error && texts.some((text) => error.message.includes(text));
}
