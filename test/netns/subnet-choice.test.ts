/** Which subnet a host gets: the one it had, if it can; never one that is in use on the host itself. */
import { rm } from 'node:fs/promises';
import type { Daemon } from '../../src/lab/daemon.js';
import { ETCD_PREFIX } from '../../src/lab/etcd-service.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest, sharedLab } from './lab-test.js';
import { deleteLease, leaseOf, putLease } from './lease-keys.js';

const theLab = sharedLab({ hosts: 1, backend: 'host-gw', daemon: false, config: { SubnetMax: '10.77.2.0' } });
const daemonOf = (() => {
  let daemon: Daemon | undefined;
  return () => {
    daemon ??= theLab()
      .host('h1')
      .makeDaemon('lodend', { kind: 'lodend', flags: ['--subnet-lease-ttl=1h'] });
    return daemon;
  };
})();
const keyNow = async () => (await leaseOf(theLab(), theLab().host('h1').address))?.key;

labTest(
  'a free subnet that the host has a route into is passed over, and the log names the route',
  async (t) => {
    const host = theLab().host('h1');
    await host.ip('route add 10.77.1.128/25 via 192.168.77.254');
    const daemon = daemonOf();
    await daemon.start();
    await daemon.ready();
    t.is(await keyNow(), '10.77.2.0-24');
    t.regex(await daemon.log(), /passing over.*10\.77\.1\.128\/25 via 192\.168\.77\.254 dev eth0/);
    await daemon.stop();
    await host.ip('route del 10.77.1.128/25');
  },
);

labTest('the lease lives as long as was asked for', async (t) => {
  const { leaseId } = (await leaseOf(theLab(), theLab().host('h1').address))!;
  const answer = await theLab().etcd.ctl('lease', 'timetolive', BigInt(leaseId).toString(16));
  t.regex(answer, /granted with TTL\(3600s\)/);
});

labTest(
  'a host whose lease is gone gets the subnet of its subnet.env again, though a bridge is on it',
  async (t) => {
    const host = theLab().host('h1');
    await host.attachContainer({ bridgeAddress: '10.77.2.1/24', mtu: 1500 });
    await deleteLease(theLab(), '10.77.2.0-24');
    await daemonOf().start();
    await daemonOf().ready();
    t.is(await keyNow(), '10.77.2.0-24');
    await daemonOf().stop();
  },
);

labTest('a host without its subnet.env finds its lease by its public IP', async (t) => {
  await rm(daemonOf().subnetFile);
  await daemonOf().start();
  await daemonOf().ready();
  t.is(await keyNow(), '10.77.2.0-24');
  await daemonOf().stop();
});

labTest('a host whose subnet another one has meanwhile gets another', async (t) => {
  const host = theLab().host('h1');
  await host.ip('link del docker0');
  await putLease(theLab(), '10.77.2.0-24', {
    PublicIP: '192.168.77.9',
    PublicIPv6: null,
    BackendType: 'host-gw',
  });
  await daemonOf().start();
  await daemonOf().ready();
  t.is(await keyNow(), '10.77.1.0-24');
  await daemonOf().stop();
});

labTest(
  'after a change of the pool hosts get subnets of the new one, and of the old one nothing is left',
  async (t) => {
    const lab = await labFor(t, { hosts: 2, backend: 'vxlan', container: false });
    await lab.etcd.ctl(
      'put',
      `${ETCD_PREFIX}/config`,
      '{"Network":"10.88.0.0/16","Backend":{"Type":"vxlan"}}',
    );
    for (const { daemon } of lab.hosts) await daemon.restart();
    const host = lab.host('h1');
    await waitFor('a route into the new pool', async () => (await host.ip('route')).includes('10.88.'));
    await waitFor('no route into the old pool', async () => !(await host.ip('route')).includes('10.77.'));
    t.notRegex(await host.ip('address'), /10\.77\./);
    t.notRegex(await host.ip('neighbour'), /10\.77\./);
    for (const { address } of lab.hosts) t.regex((await leaseOf(lab, address))!.key, /^10\.88\./);
  },
);
