import { Authority } from '../../src/lab/authority.js';

/** A CA, a certificate for a server with these names, and one for a client whose CN, etcd's user, is `root`. */
export async function makeCertificates(folder: string, names = 'IP:127.0.0.1'): Promise<void> {
  const authority = await Authority.create(folder);
  await authority.issue('server', { commonName: 'etcd', names });
  await authority.issue('client', { commonName: 'root' });
}
