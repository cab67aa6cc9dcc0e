/** A lease key without an etcd lease belongs to its host for good. */
import { labFor, labTest } from './lab-test.js';
import { leaseEntries, leaseOf, putLease } from './lease-keys.js';

/** A second is shorter than etcd can grant, three are soon over: what has a TTL shows. */
const TTL_SECONDS = 3;

labTest("a reservation that was made in flannel's form is used, and never gets a TTL", async (t) => {
  const lab = await labFor(t, { hosts: 1, daemon: false, backend: 'host-gw' });
  const host = lab.host('h1');
  await putLease(lab, '10.77.42.0-24', { PublicIP: host.address, PublicIPv6: null, BackendType: 'host-gw' });
  const daemon = host.makeDaemon('lodend', { kind: 'lodend', flags: [`--subnet-lease-ttl=${TTL_SECONDS}s`] });
  await daemon.start();
  await daemon.ready();
  for (const end of ['stop', 'kill'] as const) {
    await daemon[end]();
    await daemon.start();
    await daemon.ready();
  }
  const entries = await leaseEntries(lab);
  t.deepEqual(
    entries.map(({ key, leaseId }) => ({ key, leaseId })),
    [{ key: '10.77.42.0-24', leaseId: '0' }],
  );
  t.regex(await daemon.log(), /found lease subnet=10\.77\.42\.0\/24 reservation=true/);
});

labTest('loden leases reserve makes a running host keep its subnet for good', async (t) => {
  const lab = await labFor(t, { hosts: 1, flags: [`--subnet-lease-ttl=${TTL_SECONDS}s`] });
  const host = lab.host('h1');
  const leased = (await leaseOf(lab, host.address))!;
  t.not(leased.leaseId, '0');
  await lab.loden('leases', 'reserve', leased.key);
  const outlived = await lab.etcd.ctl('lease', 'timetolive', BigInt(leased.leaseId).toString(16));
  t.regex(outlived, /remaining/);
  await host.daemon.restart();
  await host.daemon.stop();
  await lab.etcd.ctl('lease', 'revoke', BigInt(leased.leaseId).toString(16)).catch(() => undefined);
  const kept = (await leaseOf(lab, host.address))!;
  t.deepEqual([kept.key, kept.leaseId, kept.value], [leased.key, '0', leased.value]);
  await host.daemon.start();
  await host.daemon.ready();
  t.is((await leaseOf(lab, host.address))!.leaseId, '0');
});
