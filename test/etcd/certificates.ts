/** A CA, a certificate for a server, and one for a client whose CN, etcd's user, is `root`. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** `server`: the names by which it is called, as openssl takes them. */
export async function makeCertificates(cwd: string, server = 'IP:127.0.0.1'): Promise<void> {
  await newKey(cwd, 'ca');
  const request = ['req', '-x509', '-new', '-key', 'ca.key', '-days', '2', '-subj', '/CN=test CA'];
  await run('openssl', [...request, '-out', 'ca.crt'], { cwd });
  const certificate = { cwd, days: 2, names: server };
  await sign({ ...certificate, name: 'server', commonName: 'etcd', usage: 'serverAuth,clientAuth' });
  await makeClientCertificate(cwd, 2);
}

/** In the place of the one that is there. With negative days it has expired. */
export async function makeClientCertificate(cwd: string, days: number): Promise<void> {
  await sign({ cwd, days, name: 'client', commonName: 'root', usage: 'clientAuth', names: 'IP:127.0.0.1' });
}

interface Certificate {
  readonly cwd: string;
  readonly name: string;
  readonly commonName: string;
  readonly usage: string;
  readonly names: string;
  readonly days: number;
}

async function sign({ cwd, name, commonName, usage, names, days }: Certificate): Promise<void> {
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd });
  await newKey(cwd, name);
  await openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${commonName}`, '-out', `${name}.csr`);
  await writeFile(`${cwd}/${name}.ext`, `subjectAltName=${names}\nextendedKeyUsage=${usage}\n`);
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`];
  await openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-days', `${days}`, '-out', `${name}.crt`);
}

function newKey(cwd: string, name: string) {
  const curve = ['-name', 'prime256v1'];
  return run('openssl', ['ecparam', ...curve, '-genkey', '-noout', '-out', `${name}.key`], { cwd });
}
