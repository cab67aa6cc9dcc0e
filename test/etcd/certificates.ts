import { Authority } from '../../src/lab/authority.js';

const DAY_MS = 24 * 3600 * 1000;

/** A CA, a certificate for a server with these names, and one for a client whose CN, etcd's user, is `root`. */
export async function makeCertificates(folder: string, names = 'IP:127.0.0.1'): Promise<void> {
  const authority = await Authority.create(folder);
  await authority.issue('server', { commonName: 'etcd', names });
  await makeClientCertificate(folder, 2);
}

/** In the place of the one that is there. With negative days it has expired. */
export async function makeClientCertificate(folder: string, days: number): Promise<void> {
  const notAfter = new Date(Date.now() + days * DAY_MS);
  await Authority.in(folder).issue('client', { commonName: 'root', notAfter });
}
