import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Guard, type GuardInput } from '../../../src/agent/peers/guard.js';
import type { Interface } from '../../../src/kernel/kernel.js';
import type { Route } from '../../../src/kernel/objects.js';
import { waitFor } from '../../../src/lab/wait.js';
import type { GuardedAddress } from '../../../src/lease/judge.js';
import { masked, parsePrefix } from '../../../src/net/prefix.js';
import { FakeKernel } from '../../fakes/kernel.js';

function link(name: string, ...addresses: string[]): Interface {
  return {
    index: 2,
    name,
    mtu: 1500,
    up: true,
    addresses: addresses.map((text) => ({
      address: text.split('/')[0]!,
      network: masked(parsePrefix(text)!),
    })),
  };
}

const gateway: Route = {
  kind: 'route',
  destination: '0.0.0.0/0',
  gateway: '10.5.99.1',
  link: 'eth0',
  onlink: false,
  type: 'unicast',
  protocol: 3,
  metric: 0,
};

const signal = AbortSignal.timeout(20_000);

async function guardOf(resolverText: string, more: Partial<GuardInput> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'loden-guard-'));
  const path = join(folder, 'resolv.conf');
  await writeFile(path, resolverText);
  const kernel = new FakeKernel([
    link('eth0', '192.0.2.1/24'),
    link('br0', '10.5.77.1/24'),
    link('flannel.1', '10.5.1.0/32'),
  ]);
  kernel.meddle.set(gateway);
  const guard = new Guard({
    kernel,
    pool: parsePrefix('10.5.0.0/16')!,
    ownLinks: ['flannel.1'],
    etcdEndpoints: 'https://10.5.50.1:2379, https://etcd.example:2379,https://192.0.2.9:2379',
    resolverFiles: [path, join(folder, 'absent')],
    resolve: async () => ['10.5.50.3', '10.5.50.2'],
    ...more,
  });
  return { guard, kernel, dispose: () => rm(folder, { recursive: true }) };
}

const texts = (addresses: readonly GuardedAddress[]) => addresses.map(({ text }) => text);

test('what this host needs where it is, inside the pool, is guarded', async (t) => {
  const { guard, dispose } = await guardOf(
    '# mine\nnameserver 10.5.3.3\nnameserver 1.1.1.1\nnameserver fd00::1\n',
  );
  t.deepEqual(texts(await guard.look(signal)), [
    '10.5.3.3, a DNS server',
    '10.5.50.1, an etcd server',
    '10.5.50.2, an etcd server',
    '10.5.50.3, an etcd server',
    "10.5.77.1, this host's own on br0",
    '10.5.99.1, the default gateway',
  ]);
  await dispose();
});

test('a resolver file of nothing but blank lines is read at once', async (t) => {
  const { guard, dispose } = await guardOf(`nameserver\n10.5.3.9\n${'\n'.repeat(200_000)}`);
  const begun = performance.now();
  t.false(texts(await guard.look(signal)).includes('10.5.3.9, a DNS server'));
  t.true(performance.now() - begun < 1_000);
  await dispose();
});

test('a name that cannot be found any more is what it was last', async (t) => {
  let answer: () => Promise<readonly string[]> = async () => ['10.5.50.2'];
  const { guard, dispose } = await guardOf('', { resolve: () => answer() });
  const before = texts(await guard.look(signal));
  t.true(before.includes('10.5.50.2, an etcd server'));
  answer = () => Promise.reject(new Error('no such name'));
  t.deepEqual(texts(await guard.look(signal)), before);
  answer = () => new Promise(() => undefined);
  t.deepEqual(texts(await guard.look(signal)), before);
  await dispose();
});

test('an address that comes to this host is told of', async (t) => {
  const { guard, kernel, dispose } = await guardOf('');
  const stop = new AbortController();
  const told: (readonly string[])[] = [];
  const known = await guard.look(signal);
  const watching = guard.watch(known, (addresses) => told.push(texts(addresses)), 60_000, stop.signal);
  kernel.meddle.setInterfaces([link('br0', '10.5.77.1/24', '10.5.78.1/24')]);
  await waitFor('word of it', () => told.length > 0);
  t.true(told[0]!.includes("10.5.78.1, this host's own on br0"));
  stop.abort();
  await watching;
  t.is(told.length, 1);
  await dispose();
});
