/**
 * Every error that loden throws on purpose, on one page.
 *
 * `code` and the fields are for programs, the message is for the person who reads the log at night: what is wrong,
 * where, and what to do next. `cause` keeps what was caught. `retryable` tells whether the same call may succeed
 * later without anybody's help. Adapters translate what their libraries throw into these; only `cmd/` exits.
 */

export type ErrorCode =
  | 'bad-config'
  | 'bad-option'
  | 'store-unavailable'
  | 'store-denied'
  | 'pool-full'
  | 'subnet-lost'
  | 'twin-host'
  | 'no-uplink'
  | 'kernel'
  | 'packet-path'
  | 'firewall'
  | 'file'
  | 'docker'
  | 'lab'
  | 'command';

interface ErrorDetails {
  readonly cause?: unknown;
  readonly retryable?: boolean;
}

/** The parent of all: `instanceof LodenError` tells ours from a defect. */
export abstract class LodenError extends Error {
  abstract readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.retryable = details.retryable ?? false;
  }
}

/** The network config in etcd, or a backend's part of it, is not acceptable. */
export class ConfigError extends LodenError {
  readonly code = 'bad-config';
  /** Where the text came from: `etcd key /coreos.com/network/config`, `file net.json`. Filled in by who read it. */
  source: string | undefined;
  /** The field as it is spelt in the JSON, `Backend.VNI`; empty when the whole text is at fault. */
  readonly field: string;
  readonly value: unknown;

  constructor(
    field: string,
    message: string,
    details: ErrorDetails & { value?: unknown; source?: string } = {},
  ) {
    super(message, details);
    this.field = field;
    this.value = details.value;
    this.source = details.source;
  }
}

/** A flag or an environment variable is unknown, or its value is not acceptable. */
export class OptionError extends LodenError {
  readonly code = 'bad-option';
  /** As the user wrote it: `--iptables-resync` or `FLANNELD_IPTABLES_RESYNC`. */
  readonly option: string;

  constructor(option: string, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.option = option;
  }
}

/** etcd did not answer, or not in time. */
export class StoreUnavailableError extends LodenError {
  readonly code = 'store-unavailable';

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { retryable: true, ...details });
  }
}

/** etcd answered that we may not: no such user, wrong password, a role without this key. */
export class StoreDeniedError extends LodenError {
  readonly code = 'store-denied';

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { retryable: true, ...details });
  }
}

/** No subnet of the pool is free. */
export class PoolFullError extends LodenError {
  readonly code = 'pool-full';

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { retryable: true, ...details });
  }
}

/** Our subnet's key was deleted or expired, and by the time we claimed it again another host held it. */
export class SubnetLostError extends LodenError {
  readonly code = 'subnet-lost';
  readonly subnet: string;
  /** The public IP of the host that holds it now. */
  readonly holder: string;

  constructor(subnet: string, holder: string, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.subnet = subnet;
    this.holder = holder;
  }
}

/** Another host, which is alive, has our public IP or our identity. */
export class TwinHostError extends LodenError {
  readonly code = 'twin-host';
  /** The other's, as its lease has them. */
  readonly publicIp: string;
  readonly identity: string | undefined;

  constructor(
    holder: { readonly publicIp: string; readonly identity?: string | undefined },
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, details);
    this.publicIp = holder.publicIp;
    this.identity = holder.identity;
  }
}

/** No interface of this host fits what the flags ask for. */
export class UplinkError extends LodenError {
  readonly code = 'no-uplink';
}

/** The kernel refused a request. */
export class KernelError extends LodenError {
  readonly code = 'kernel';
  /** `EEXIST`, `EPERM` … */
  readonly errno: string;

  constructor(errno: string, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.errno = errno;
  }
}

/** The packet path could not be opened: its device or a module is missing, or somebody holds what it needs. */
export class PacketPathError extends LodenError {
  readonly code = 'packet-path';

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { retryable: true, ...details });
  }
}

/** This host's packet filter is missing, or refused. */
export class FirewallError extends LodenError {
  readonly code = 'firewall';

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, { retryable: true, ...details });
  }
}

/** A file could not be read or written. */
export class FileError extends LodenError {
  readonly code = 'file';
  readonly path: string;

  constructor(path: string, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.path = path;
  }
}

/** The Docker engine did not answer, or did not restart. */
export class DockerError extends LodenError {
  readonly code = 'docker';
}

/** The lab could not be set up, found or taken down. */
export class LabError extends LodenError {
  readonly code = 'lab';
}

/** A command of the operator's tool cannot be carried out as things are, or was not confirmed. */
export class CommandError extends LodenError {
  readonly code = 'command';
}
