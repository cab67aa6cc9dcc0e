/** Certificates for a lab, made with openssl: an authority of its own, and what it vouches for. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { command } from './namespace.js';

export interface CertificateOptions {
  /** etcd takes it for the name of a user. */
  readonly commonName: string;
  /** The names by which a server is called, `DNS:etcd.example,IP:192.0.2.1`; a client has none. */
  readonly names?: string;
  /** In two days when absent. */
  readonly notAfter?: Date;
}

export class Authority {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** The one whose files are in the folder. */
  static in(folder: string): Authority {
    return new Authority(folder);
  }

  /** Its files are `ca.crt` and `ca.key` in the folder, which is made if absent. */
  static async create(folder: string): Promise<Authority> {
    await mkdir(folder, { recursive: true });
    const authority = new Authority(folder);
    const files = ['-keyout', authority.file('ca.key'), '-out', authority.file('ca.crt')];
    await command(['openssl', 'req', '-x509', ...NEW_KEY, '-days', '2', '-subj', '/CN=lab CA', ...files]);
    return authority;
  }

  file(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Makes `NAME.crt` and `NAME.key`, in place of those that are there. */
  async issue(name: string, options: CertificateOptions): Promise<void> {
    const fresh = this.file(`.${name}`);
    const request = ['-subj', `/CN=${options.commonName}`, '-keyout', `${fresh}.key`, '-out', `${fresh}.csr`];
    await command(['openssl', 'req', '-new', ...NEW_KEY, ...request]);
    // A database for each certificate, so that several can be issued at once.
    await writeFile(`${fresh}.index`, '');
    await writeFile(`${fresh}.cnf`, signing(this.folder, fresh, options));
    const { notAfter = new Date(Date.now() + 2 * DAY_MS) } = options;
    const notBefore = new Date(Math.min(Date.now(), notAfter.getTime()) - DAY_MS);
    const validity = ['-startdate', asn1Time(notBefore), '-enddate', asn1Time(notAfter)];
    const files = ['-in', `${fresh}.csr`, '-out', `${fresh}.crt`];
    await command(['openssl', 'ca', '-batch', '-notext', '-config', `${fresh}.cnf`, ...validity, ...files]);
    for (const ending of ['key', 'crt']) await rename(`${fresh}.${ending}`, this.file(`${name}.${ending}`));
  }
}

const DAY_MS = 24 * 3600 * 1000;
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** For `openssl ca`, the only one of its commands that takes the second at which a certificate ends. */
function signing(folder: string, fresh: string, { names }: CertificateOptions): string {
  return `
    [ca]
    default_ca = lab
    [lab]
    certificate = ${folder}/ca.crt
    private_key = ${folder}/ca.key
    database = ${fresh}.index
    new_certs_dir = ${folder}
    rand_serial = yes
    default_md = sha256
    policy = policy
    x509_extensions = extensions
    [policy]
    commonName = supplied
    [extensions]
    extendedKeyUsage = ${names === undefined ? 'clientAuth' : 'serverAuth,clientAuth'}
    ${names === undefined ? '' : `subjectAltName = ${names}`}
  `;
}

/** `20260301091502Z` */
function asn1Time(date: Date): string {
  return `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
}
