/** A path from open to close: its device taken away, its process killed, and nothing of it left. */
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { ping } from '../../src/lab/ping.js';
import { waitFor } from '../../src/lab/wait.js';
import { compile } from './compiled.js';
import { DEVICE, type Host, openBoth, twoHosts } from './hosts.js';
import { RemotePath } from './remote-path.js';

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;
const EBADF = 9;
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

asRoot('a path whose sockets were shut down says so once, and can be opened again', async (t) => {
  const hosts = await twoHosts(t);
  const [alice, bob] = hosts;
  await openBoth(hosts, { queues: 2 });
  await carries(t, alice, bob);
  const { stdout } = await execa(await compile('shut-down'), [String(alice.path.pid)]);
  t.is(stdout, '2');
  await waitFor('the word', () => alice.path.failures.length > 0);
  await alice.path.close();
  t.deepEqual(alice.path.failures, [`the uplink's socket is gone: Bad file descriptor (${EBADF})`]);
  await alice.open();
  await alice.path.setPeers({ [bob.subnet]: bob.address });
  await carries(t, alice, bob);
});

asRoot('close, and an open that fails, leave no thread and no descriptor, and the device', async (t) => {
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
    await t.throwsAsync(alice.open({ queues: 4, address: '192.0.2.1' }));
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
