import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { FileError, OptionError } from '../../src/errors.js';
import { type EtcdFlags, etcdOptions } from '../../src/lease/etcd-options.js';

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

test('a TLS file that is not there, or not PEM, is named', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'loden-pem-'));
  try {
    const caFile = join(folder, 'ca.crt');
    const secure = { ...flags, endpoints: 'https://one:2379', caFile };
    const missing = await t.throwsAsync(etcdOptions(secure), { instanceOf: FileError });
    t.is(missing!.path, caFile);
    await writeFile(caFile, '-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n');
    const bad = await t.throwsAsync(etcdOptions(secure), { instanceOf: OptionError });
    t.true(bad!.message.includes(caFile));
    t.deepEqual((await etcdOptions({ ...secure, caFile: '' })).warnings, []);
  } finally {
    await rm(folder, { recursive: true });
  }
});
