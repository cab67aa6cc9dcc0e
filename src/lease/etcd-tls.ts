/** What TLS to etcd needs, from files that may be replaced while we run, as certificates are before they expire. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { FileError, OptionError } from '../errors.js';

/** PEM texts. */
export interface EtcdTls {
  readonly ca?: Buffer;
  readonly identity?: {
    readonly certificate: Buffer;
    readonly key: Buffer;
    /** The certificate's last moment, in milliseconds since 1970. */
    readonly expiresMs: number;
  };
}

/** Paths; empty where none was given. */
export interface TlsPaths {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Looked at no more often than this. */
const LOOK_EVERY_MS = 1000;

export class TlsFiles {
  readonly #paths: TlsPaths;
  /** Of the files as they were read. */
  #stamp = '';
  #lookAt = 0;

  constructor(paths: TlsPaths) {
    this.#paths = paths;
  }

  /** Throws OptionError or FileError. */
  async read(): Promise<EtcdTls> {
    const stamp = await this.#look();
    const tls = await readTls(this.#paths);
    this.#stamp = stamp;
    return tls;
  }

  /** What is there now, if the files have changed since they were read. Never throws: half of a change is no change yet. */
  async readAgain(): Promise<EtcdTls | undefined> {
    if (performance.now() < this.#lookAt) return undefined;
    this.#lookAt = performance.now() + LOOK_EVERY_MS;
    if ((await this.#look()) === this.#stamp) return undefined;
    return this.read().catch(() => undefined);
  }

  async #look(): Promise<string> {
    const { caFile, certFile, keyFile } = this.#paths;
    const stamps = [caFile, certFile, keyFile].map(async (path) => {
      const found = path && (await stat(path, { bigint: true }).catch(() => undefined));
      return found ? `${found.ino} ${found.size} ${found.mtimeNs}` : '';
    });
    return (await Promise.all(stamps)).join();
  }
}

async function readTls({ caFile, certFile, keyFile }: TlsPaths): Promise<EtcdTls> {
  const [ca, certificate, key] = await Promise.all([caFile, certFile, keyFile].map(readPem));
  // A secure context takes any text for a CA.
  if (ca) check('--etcd-cafile', `${caFile} holds no certificate in PEM`, () => new X509Certificate(ca));
  if (!certificate || !key) return ca ? { ca } : {};
  const own = () => new X509Certificate(certificate);
  const { validTo } = check('--etcd-certfile', `${certFile} holds no certificate in PEM`, own);
  check('--etcd-keyfile', `${keyFile} holds no private key in PEM`, () => createPrivateKey(key));
  const pair = () => createSecureContext({ cert: certificate, key });
  check('--etcd-keyfile', `${keyFile} is not the key of ${certFile}`, pair);
  return { ...(ca && { ca }), identity: { certificate, key, expiresMs: Date.parse(validTo) } };
}

/** What a look at it gives. Throws OptionError with the complaint when it throws. */
function check<Found>(option: string, complaint: string, look: () => Found): Found {
  try {
    return look();
  } catch (cause) {
    throw new OptionError(option, `${complaint}: ${(cause as Error).message}`, { cause });
  }
}

async function readPem(path: string): Promise<Buffer | undefined> {
  if (!path) return undefined;
  // Not to be shown: it may be a key.
  if (/-----|\n/.test(path))
    throw new OptionError('--etcd-keyfile', 'the TLS flags take the path of a file, not what is in it');
  try {
    return await readFile(path);
  } catch (cause) {
    throw new FileError(path, `cannot read the TLS file ${path}: ${(cause as Error).message}`, { cause });
  }
}
