/** A CA, a certificate for a server, and one for a client whose CN, etcd's user, is `root`. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** `server`: the names by which it is called, as openssl takes them. */
export async function makeCertificates(cwd: string, server = 'IP:127.0.0.1'): Promise<void> {
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd });
  const newKey = (name: string) =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);

  await newKey('ca');
  await openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    'ca.key',
    '-days',
    '2',
    '-subj',
    '/CN=test CA',
    '-out',
    'ca.crt',
  );
  for (const [name, commonName, usage] of [
    ['server', 'etcd', 'serverAuth,clientAuth'],
    ['client', 'root', 'clientAuth'],
  ] as const) {
    await newKey(name);
    await openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${commonName}`, '-out', `${name}.csr`);
    await writeFile(`${cwd}/${name}.ext`, `subjectAltName=${server}\nextendedKeyUsage=${usage}\n`);
    const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-days', '2', '-out', `${name}.crt`);
  }
}
