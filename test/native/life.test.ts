/** A path from open to close: its device taken away, its port taken, and nothing of it left. */
import test, { type ExecutionContext } from 'ava';
import { ping } from '../../src/lab/ping.js';
import { waitFor } from '../../src/lab/wait.js';
import { DEVICE, type Host, openBoth, PORT, twoHosts } from './hosts.js';
import { RemotePath } from './remote-path.js';

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;
const EBADFD = 77;

async function carries(t: ExecutionContext, from: Host, to: Host): Promise<void> {
  const answered = async () => (await ping(from.namespace, to.tunnelAddress, 1)).received > 0;
  await waitFor('an answer', answered);
  t.pass();
}

asRoot('a path whose device is deleted says so once, and can be opened again on a new one', async (t) => {
  const hosts = await twoHosts(t);
  const [alice, bob] = hosts;
  await openBoth(hosts, { queues: 3 });
  await carries(t, alice, bob);
  await alice.namespace.ip(`link del ${DEVICE}`);
  await waitFor('the word', () => alice.path.failures.length > 0);
  await alice.path.close();
  t.deepEqual(alice.path.failures, [`the device is gone: File descriptor in bad state (${EBADFD})`]);
  await t.throwsAsync(alice.open(), { message: `device ${DEVICE}: No such device` });
  await alice.makeDevice();
  await alice.open();
  await alice.path.setPeers({ [bob.subnet]: bob.address });
  await carries(t, alice, bob);
  t.is(alice.path.failures.length, 1);
});

asRoot('a path is only deaf while its device is down', async (t) => {
  const hosts = await twoHosts(t);
  const [alice, bob] = hosts;
  await openBoth(hosts);
  await carries(t, alice, bob);
  await alice.namespace.ip(`link set ${DEVICE} down`);
  t.is((await ping(bob.namespace, alice.tunnelAddress, 2)).received, 0);
  await alice.namespace.ip(`link set ${DEVICE} up`, `route replace 10.9.0.0/16 dev ${DEVICE}`);
  await carries(t, alice, bob);
  t.deepEqual(alice.path.failures, []);
});

asRoot('what cannot be opened is an error that names it, and leaves nothing open', async (t) => {
  const [alice] = await twoHosts(t);
  const before = await alice.path.descriptors();
  const cases = [
    [{ device: 'absent0' }, { message: 'device absent0: No such device' }],
    [{ device: 'eth0' }, { message: 'attach to device eth0: Invalid argument' }],
    [{ address: '192.0.2.1' }, { message: 'socket on 192.0.2.1:8285/udp: Cannot assign requested address' }],
    [{ device: 'a-name-that-is-too-long' }, { message: 'udpOpen(options, onFailed)' }],
    [{ port: 0 }, { message: 'udpOpen(options, onFailed)' }],
    [{ tunnelAddress: '10.9.1' }, { message: 'udpOpen(options, onFailed)' }],
    [{ without: ['sso' as 'tso'] }, { message: 'udpOpen(options, onFailed)' }],
  ] as const;
  for (const [options, expected] of cases) await t.throwsAsync(alice.open(options), expected);
  t.is(await alice.path.descriptors(), before);
});

asRoot('a port is not shared with another process, whichever came first', async (t) => {
  const [alice] = await twoHosts(t);
  await alice.open({ queues: 2 });
  const second = await RemotePath.start(alice.namespace);
  t.teardown(() => second.dispose());
  await second.create('second0');
  const options = { device: 'second0', address: alice.address, port: PORT, tunnelAddress: '10.9.1.0' };
  await t.throwsAsync(second.open({ ...options, queues: 1, acceptAny: false, without: [] }), {
    message: `socket on ${alice.address}:8285/udp: Address already in use`,
  });
});

asRoot('close ends the threads and leaves nothing but the device', async (t) => {
  const hosts = await twoHosts(t);
  const [alice, bob] = hosts;
  await openBoth(hosts, { queues: 4 });
  await carries(t, alice, bob);
  await alice.path.close();
  const [descriptors, threads] = [await alice.path.descriptors(), await alice.path.threads()];
  for (let i = 0; i < 20; i++) {
    await alice.open({ queues: 4 });
    t.is(await alice.path.threads(), threads + 4);
    await alice.path.close();
  }
  t.deepEqual([await alice.path.descriptors(), await alice.path.threads()], [descriptors, threads]);
  await alice.path.close();
  await t.throwsAsync(alice.path.counters(), { message: 'closed packet path: Bad file descriptor' });
  t.regex(await alice.namespace.ip(`address show ${DEVICE}`), /inet 10\.9\.1\.0\/32/);
  t.deepEqual(alice.path.failures, []);
});

asRoot('a device keeps its address and routes when the process with the path is killed', async (t) => {
  const hosts = await twoHosts(t);
  const [alice, bob] = hosts;
  await openBoth(hosts);
  await carries(t, alice, bob);
  await alice.path.dispose();
  t.regex(await alice.namespace.ip(`address show ${DEVICE}`), /inet 10\.9\.1\.0\/32/);
  t.regex(await alice.namespace.ip('route'), /10\.9\.0\.0\/16 dev flannel0/);
  alice.path = await RemotePath.start(alice.namespace);
  t.teardown(() => alice.path.dispose());
  await alice.path.create(DEVICE);
  await alice.open();
  await alice.path.setPeers({ [bob.subnet]: bob.address });
  await carries(t, alice, bob);
});
