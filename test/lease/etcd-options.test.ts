import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { FileError, OptionError } from '../../src/errors.js';
import { type EtcdFlags, etcdOptions } from '../../src/lease/etcd-options.js';
import { makeCertificates } from '../etcd/certificates.js';

const flags: EtcdFlags = {
  endpoints: 'http://127.0.0.1:4001,http://127.0.0.1:2379',
  prefix: '/coreos.com/network',
  keyFile: '',
  certFile: '',
  caFile: '',
  username: '',
  password: '',
};

test('endpoints are read with or without a scheme, a slash at the end, and spaces', async (t) => {
  t.deepEqual((await etcdOptions(flags)).addresses, ['127.0.0.1:4001', '127.0.0.1:2379']);
  const { addresses, tls } = await etcdOptions({
    ...flags,
    endpoints: 'etcd-1.example:2379, [fd00::1]:2379/',
  });
  t.deepEqual(addresses, ['etcd-1.example:2379', '[fd00::1]:2379']);
  t.is(tls, undefined);
});

test('https alone means TLS with the CAs of the system', async (t) => {
  t.deepEqual((await etcdOptions({ ...flags, endpoints: 'https://etcd.example:2379' })).tls, {});
});

for (const [endpoints, message] of [
  ['', /"" is not an endpoint/],
  ['http://etcd', /"http:\/\/etcd" is not an endpoint: .*http:\/\/HOST:PORT/],
  ['ftp://etcd:21', /is not an endpoint/],
  ['http://one:2379,https://two:2379', /either all endpoints or none/],
  ['http://root:secret@one:2379', /"…@one:2379" is not an endpoint.*--etcd-password/],
  ['root:secret@one:2379', /"…@one:2379" is not an endpoint/],
  ['http://root:sec,secret@one:2379', /"…@one:2379" is not an endpoint/],
  ['http://one:2379/?token=secret', /"http:\/\/one:2379\/\?…" is not an endpoint/],
] as const)
  test(`the endpoints ${JSON.stringify(endpoints)} are refused`, async (t) => {
    const error = await t.throwsAsync(etcdOptions({ ...flags, endpoints }), {
      instanceOf: OptionError,
      message,
    });
    t.is(error!.option, '--etcd-endpoints');
    t.notRegex(error!.message, /secret/);
  });

for (const [given, option] of [
  [{ certFile: 'c.pem' }, '--etcd-certfile'],
  [{ keyFile: 'k.pem' }, '--etcd-keyfile'],
  [{ password: 'secret' }, '--etcd-password'],
] as const)
  test(`${option} alone is refused`, async (t) => {
    const error = await t.throwsAsync(etcdOptions({ ...flags, ...given }), { instanceOf: OptionError });
    t.is(error!.option, option);
  });

async function withCertificates(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'loden-pem-'));
  try {
    await makeCertificates(folder);
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a TLS file that is not there, or not what it should be, is named with its flag', (t) =>
  withCertificates(async (folder) => {
    const [caFile, certFile, keyFile] = ['ca.crt', 'client.crt', 'client.key'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    const good = { ...flags, endpoints: 'https://one:2379', caFile, certFile, keyFile };
    await etcdOptions(good);
    const missing = { ...good, caFile: join(folder, 'none.crt') };
    t.is((await t.throwsAsync(etcdOptions(missing), { instanceOf: FileError }))!.path, missing.caFile);
    const rubbish = join(folder, 'rubbish.pem');
    await writeFile(rubbish, '-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n');
    for (const [option, change] of [
      ['--etcd-cafile', { caFile: rubbish }],
      ['--etcd-certfile', { certFile: rubbish }],
      ['--etcd-keyfile', { keyFile: rubbish }],
      ['--etcd-keyfile', { keyFile: join(folder, 'server.key') }],
    ] as const) {
      const error = await t.throwsAsync(etcdOptions({ ...good, ...change }), { instanceOf: OptionError });
      t.is(error!.option, option);
      t.true(error!.message.startsWith(Object.values(change)[0]!), error!.message);
    }
    t.deepEqual((await etcdOptions({ ...good, caFile: '' })).warnings, []);
  }));
