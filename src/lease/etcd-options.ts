/** How to reach etcd, from flanneld's flags: endpoints, TLS files, user and password. */
import { OptionError } from '../errors.js';
import { type EtcdTls, TlsFiles } from './etcd-tls.js';

/** The values of flanneld's flags; empty means not given. */
export interface EtcdFlags {
  /** `--etcd-endpoints`, a comma list. */
  readonly endpoints: string;
  readonly prefix: string;
  readonly keyFile: string;
  readonly certFile: string;
  readonly caFile: string;
  readonly username: string;
  readonly password: string;
}

export interface EtcdOptions {
  /** `host:port`, the scheme taken off. */
  readonly addresses: readonly string[];
  readonly prefix: string;
  /** Undefined: plain text. Without a CA those of the system vouch for etcd. */
  readonly tls: EtcdTls | undefined;
  /** Where that was read, to be read again; undefined when no file was given, or none is used. */
  readonly tlsFiles?: TlsFiles | undefined;
  readonly user: { readonly name: string; readonly password: string } | undefined;
  /** What is odd about the flags, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the TLS files too. Throws OptionError when a flag makes no sense, FileError when a file cannot be read. A CA
 * alone is used, unlike in flanneld, which then goes on in plain text.
 */
export async function etcdOptions(flags: EtcdFlags): Promise<EtcdOptions> {
  const { addresses, secure } = parseEndpoints(flags.endpoints);
  const files = tlsFiles(flags);
  const tls = await files?.read();
  const warnings: string[] = [];
  if (!secure && files)
    warnings.push(
      'the etcd TLS files are not used, as no endpoint begins with https://: passwords go in plain text',
    );
  if (flags.password && !flags.username)
    throw new OptionError('--etcd-password', 'a password needs a user: give --etcd-username too');
  return {
    addresses,
    prefix: flags.prefix,
    tls: secure ? (tls ?? {}) : undefined,
    ...(secure && files ? { tlsFiles: files } : {}),
    user: flags.username ? { name: flags.username, password: flags.password } : undefined,
    warnings,
  };
}

function parseEndpoints(text: string): { addresses: string[]; secure: boolean } {
  const endpoints = text.split(',').map((endpoint) => endpoint.trim());
  const parsed = endpoints.map((endpoint) => {
    const match = /^(?:(https?):\/\/)?((?:[\w.-]+|\[[\da-f:]+\]):\d{1,5})\/?$/i.exec(endpoint);
    if (!match) throw notAnEndpoint(text.includes('@') ? text : endpoint);
    return { secure: match[1]?.toLowerCase() === 'https', address: match[2]! };
  });
  const secure = parsed.some((endpoint) => endpoint.secure);
  if (secure && parsed.some((endpoint) => !endpoint.secure))
    throw new OptionError('--etcd-endpoints', 'either all endpoints or none begin with https://');
  return { addresses: parsed.map(({ address }) => address), secure };
}

/** What comes before an @ may be a password, with commas in it, and what comes after a ? a token. */
function notAnEndpoint(text: string): OptionError {
  const at = text.lastIndexOf('@');
  const shown = (at < 0 ? text : `…${text.slice(at)}`).replace(/[?#].*/s, '?…');
  const advice = at >= 0 ? '; a user and a password go into --etcd-username and --etcd-password' : '';
  return new OptionError(
    '--etcd-endpoints',
    `"${shown}" is not an endpoint: a comma list of http://HOST:PORT or https://HOST:PORT is accepted${advice}`,
  );
}

function tlsFiles({ caFile, certFile, keyFile }: EtcdFlags): TlsFiles | undefined {
  if (!certFile !== !keyFile)
    throw new OptionError(
      certFile ? '--etcd-certfile' : '--etcd-keyfile',
      'a client certificate and its key belong together: give --etcd-certfile and --etcd-keyfile',
    );
  return caFile || certFile ? new TlsFiles({ caFile, certFile, keyFile }) : undefined;
}
