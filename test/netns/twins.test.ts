/** Two hosts that both believe to be the one: one public IP, or one identity. */
import { cp, mkdir } from 'node:fs/promises';
import { labTest, sharedLab } from './lab-test.js';
import { leaseEntries } from './lease-keys.js';

const theLab = sharedLab({ hosts: 2, daemon: false, config: { Backend: { Type: 'alloc' } } });
const NAT = ['--iface=eth0', '--public-ip=10.0.2.15'];

function daemonOf(name: string, on: 'h1' | 'h2', flags: readonly string[] = []) {
  return theLab().host(on).makeDaemon(name, { kind: 'lodend', flags });
}

labTest(
  'the second of two hosts with one public IP names the first, and follows it when it is gone',
  async (t) => {
    const lab = theLab();
    const [first, second] = [daemonOf('nat', 'h1', NAT), daemonOf('nat', 'h2', NAT)];
    await first.start();
    await first.ready();
    const [lease] = await leaseEntries(lab);
    const { LodenIdentity: identity } = JSON.parse(lease!.value);

    await second.start();
    t.is((await second.ended()).exitCode, 1);
    const subnet = lease!.key.replace('-', '/');
    const text = `the public IP of this host, 10.0.2.15, is also that of another host, which holds ${subnet}`;
    const last = (await second.log()).trimEnd().split('\n').at(-1)!;
    t.true(last.includes(text) && last.includes(`its identity is ${identity}`), last);
    const [after] = await leaseEntries(lab);
    t.deepEqual([after!.key, after!.value, after!.leaseId], [lease!.key, lease!.value, lease!.leaseId]);
    t.regex(await first.log(), /warn .*telling it that we are alive host="10\.0\.2\.15 [0-9a-f]{32}"/);
    t.is(first.exit, undefined);

    await first.stop();
    await second.start();
    await second.ready();
    const [taken, ...others] = await leaseEntries(lab);
    t.is(taken!.key, lease!.key);
    t.not(JSON.parse(taken!.value).LodenIdentity, identity);
    t.deepEqual(others, []);
    await second.stop();
    await lab.loden('leases', 'release', taken!.key, '--yes');
  },
);

labTest('a clone is refused while its original lives; a host that moved keeps its subnet', async (t) => {
  const lab = theLab();
  const [original, clone] = [daemonOf('cloned', 'h1'), daemonOf('cloned', 'h2')];
  await original.start();
  await original.ready();
  const [lease] = await leaseEntries(lab);
  const stateOf = (on: 'h1' | 'h2') => `${lab.host(on).directory}/cloned/state`;
  await mkdir(stateOf('h2'), { recursive: true });
  await cp(stateOf('h1'), stateOf('h2'), { recursive: true });

  await clone.start();
  t.is((await clone.ended()).exitCode, 1);
  t.regex(
    (await clone.log()).trimEnd().split('\n').at(-1)!,
    /the identity of this host, [0-9a-f]{32}, is also that of another host.*its public IP is 192\.168\.77\.1\..*delete the file "identity"/,
  );

  await original.stop();
  await clone.start();
  await clone.ready();
  const [moved, ...others] = await leaseEntries(lab);
  t.is(moved!.key, lease!.key);
  t.is(JSON.parse(moved!.value).PublicIP, '192.168.77.2');
  t.deepEqual(others, []);
  await clone.stop();
});
