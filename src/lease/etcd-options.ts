/** How to reach etcd, from flanneld's flags: endpoints, TLS files, user and password. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { FileError, OptionError } from '../errors.js';

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
  readonly user: { readonly name: string; readonly password: string } | undefined;
  /** What is odd about the flags, one sentence each. */
  readonly warnings: readonly string[];
}

/** PEM texts. */
export interface EtcdTls {
  readonly ca?: Buffer;
  readonly identity?: { readonly certificate: Buffer; readonly key: Buffer };
}

/**
 * Reads the TLS files too. Throws OptionError when a flag makes no sense, FileError when a file cannot be read. A CA
 * alone is used, unlike in flanneld, which then goes on in plain text.
 */
export async function etcdOptions(flags: EtcdFlags): Promise<EtcdOptions> {
  const { addresses, secure } = parseEndpoints(flags.endpoints);
  const files = await readTlsFiles(flags);
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
    tls: secure ? (files ?? {}) : undefined,
    user: flags.username ? { name: flags.username, password: flags.password } : undefined,
    warnings,
  };
}

function parseEndpoints(text: string): { addresses: string[]; secure: boolean } {
  const endpoints = text.split(',').map((endpoint) => endpoint.trim());
  const parsed = endpoints.map((endpoint) => {
    const match = /^(?:(https?):\/\/)?((?:[\w.-]+|\[[\da-f:]+\]):\d{1,5})\/?$/i.exec(endpoint);
    if (!match)
      throw new OptionError(
        '--etcd-endpoints',
        `"${withoutPassword(endpoint)}" is not an endpoint: a comma list of http://HOST:PORT or https://HOST:PORT is accepted`,
      );
    return { secure: match[1]?.toLowerCase() === 'https', address: match[2]! };
  });
  const secure = parsed.some((endpoint) => endpoint.secure);
  if (secure && parsed.some((endpoint) => !endpoint.secure))
    throw new OptionError('--etcd-endpoints', 'either all endpoints or none begin with https://');
  return { addresses: parsed.map(({ address }) => address), secure };
}

function withoutPassword(endpoint: string): string {
  const at = endpoint.lastIndexOf('@');
  const scheme = /^https?:\/\//i.exec(endpoint)?.[0] ?? '';
  return at < 0 ? endpoint : `${scheme}…${endpoint.slice(at)}`;
}

async function readTlsFiles({ caFile, certFile, keyFile }: EtcdFlags): Promise<EtcdTls | undefined> {
  if (!certFile !== !keyFile)
    throw new OptionError(
      certFile ? '--etcd-certfile' : '--etcd-keyfile',
      'a client certificate and its key belong together: give --etcd-certfile and --etcd-keyfile',
    );
  if (!caFile && !certFile) return undefined;
  const [ca, certificate, key] = await Promise.all([caFile, certFile, keyFile].map(readPem));
  try {
    createSecureContext({ cert: certificate, key });
    // A secure context takes any text for a CA.
    if (ca) new X509Certificate(ca);
  } catch (cause) {
    const named = [caFile, certFile, keyFile].filter(Boolean).join(', ');
    throw new OptionError('--etcd-cafile', `no TLS with ${named}: ${(cause as Error).message}`, { cause });
  }
  return { ...(ca && { ca }), ...(certificate && key && { identity: { certificate, key } }) };
}

async function readPem(path: string): Promise<Buffer | undefined> {
  if (!path) return undefined;
  try {
    return await readFile(path);
  } catch (cause) {
    throw new FileError(path, `cannot read the TLS file ${path}: ${(cause as Error).message}`, { cause });
  }
}
