/** Leases that cannot be trusted or used: not programmed, told of once, and shown by `loden leases`. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Daemon } from '../../src/lab/daemon.js';
import type { Lab } from '../../src/lab/lab.js';
import type { Namespace } from '../../src/lab/namespace.js';
import { waitFor } from '../../src/lab/wait.js';
import { labTest, occurrences, sharedLab } from './lab-test.js';
import { deleteLease, putLease, vxlanLease } from './lease-keys.js';
import { picture } from './picture.js';

const LODEN = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));

/** The pool holds the wire's network, as a careless one may. Host 1 has a subnet of its own by reservation. */
const theLab = sharedLab({
  hosts: 1,
  daemon: false,
  network: '192.168.0.0/16',
  config: { SubnetMin: '192.168.1.0', SubnetMax: '192.168.9.0', Backend: { Type: 'vxlan' } },
});
const OURS = '192.168.5.0-24';
const MAC = '02:00:00:00:00:42';
let theDaemon: Daemon | undefined;

function daemonOf(lab: Lab): { namespace: Namespace; daemon: Daemon } {
  const host = lab.host('h1');
  theDaemon ??= host.makeDaemon('lodend', { kind: 'lodend' });
  return { namespace: host.namespace, daemon: theDaemon };
}

const REFUSED = [
  ['10.9.9.0-24', vxlanLease('192.168.77.11', MAC), /outside the pool 192\.168\.0\.0\/16/],
  ['192.168.5.128-25', vxlanLease('192.168.77.11', MAC), /overlaps our subnet 192\.168\.5\.0\/24/],
  ['192.168.4.0-22', vxlanLease('192.168.77.11', MAC), /overlaps our subnet 192\.168\.5\.0\/24/],
  ['192.168.77.0-24', vxlanLease('192.168.77.11', MAC), /overlaps the uplink's network 192\.168\.77\.0\/24/],
  ['192.168.10.0-24', vxlanLease('192.168.77.1', MAC), /public IP 192\.168\.77\.1 is our own/],
  [
    '192.168.11.0-24',
    { PublicIP: '192.168.77.11', PublicIPv6: null, BackendType: 'host-gw' },
    /backend type is host-gw/,
  ],
  [
    '192.168.12.0-24',
    vxlanLease('192.168.77.11', '00:00:00:00:00:00'),
    /00:00:00:00:00:00 is zero or multicast/,
  ],
  [
    '192.168.13.0-24',
    vxlanLease('192.168.77.11', '01:00:5e:00:00:01'),
    /01:00:5e:00:00:01 is zero or multicast/,
  ],
  ['192.168.14.0-24', { PublicIP: '192.168.77.11', PublicIPv6: null, BackendType: 'vxlan' }, /no VtepMAC/],
] as const;

const SKIPPED = [
  ['192.168.15-24', '{"PublicIP":"192.168.77.11"}'],
  ['192.168.15.0-24hi', '{"PublicIP":"192.168.77.11"}'],
  ['192.168.15.300-24', '{"PublicIP":"192.168.77.11"}'],
  ['192.168.16.0-24', 'not JSON'],
  ['192.168.17.0-24', '[]'],
  ['192.168.18.0-24', '{"PublicIP":7}'],
] as const;

labTest(
  'none of them reaches the kernel, and each is told of once, before and after a restart',
  async (t) => {
    const lab = theLab();
    const host = lab.host('h1');
    await putLease(lab, OURS, vxlanLease(host.address, '02:00:00:00:00:01'));
    const { daemon } = daemonOf(lab);
    await daemon.start();
    await daemon.ready();
    const before = await picture(host.namespace);
    for (const [key, value] of [...REFUSED, ...SKIPPED]) await putLease(lab, key, value);
    // A good one comes last: when it is there, all others have been seen.
    await putLease(lab, '192.168.20.0-24', vxlanLease('192.168.77.12', '02:00:00:00:00:12'));
    await waitFor('the good one', async () => (await picture(host.namespace)).includes('192.168.20.0/24'));
    const others = (text: string) =>
      text.split('\n').filter((line) => !/192\.168\.20\.0|02:00:00:00:00:12/.test(line));
    t.deepEqual(others(await picture(host.namespace)), before.split('\n'));
    const isTold = (log: string) => {
      for (const [key, , reason] of REFUSED) {
        const lines = log.split('\n').filter((line) => line.includes(`subnet=${key} `));
        t.is(lines.length, 1, `${key}: ${log}`);
        t.regex(lines[0]!, reason);
      }
      for (const [key] of SKIPPED) t.is(occurrences(log, `key=${key} `), 1, `${key}: ${log}`);
    };
    isTold(await daemon.log());
    const logBefore = (await daemon.log()).length;
    await daemon.restart();
    t.deepEqual(others(await picture(host.namespace)), before.split('\n'));
    isTold((await daemon.log()).slice(logBefore));
    t.regex(await readFile(daemon.subnetFile, 'utf8'), /FLANNEL_SUBNET=192\.168\.5\.1\/24/);
  },
);

labTest('of leases in each other’s way the older is used, and the younger when that is gone', async (t) => {
  const lab = theLab();
  const { namespace, daemon } = daemonOf(lab);
  await namespace.ip('link add br9 type bridge');
  await namespace.ip('address add 192.168.30.1/24 dev br9');
  const younger = [
    ['192.168.20.128-25', vxlanLease('192.168.77.13', '02:00:00:00:00:13')],
    ['192.168.21.0-24', vxlanLease('192.168.77.14', '02:00:00:00:00:12')],
    ['192.168.30.0-24', vxlanLease('192.168.77.15', '02:00:00:00:00:15')],
  ] as const;
  const reasons = [
    /overlaps 192\.168\.20\.0\/24 of 192\.168\.77\.12, which is older/,
    /its VTEP MAC 02:00:00:00:00:12 is that of 192\.168\.77\.12, whose lease is older/,
    /takes 192\.168\.30\.1, this host's own on br9/,
  ];
  const told = async (key: string) => (await daemon.log()).split('\n').findLast((line) => line.includes(key));
  // The address is noticed within a second or two, also where the lease came first.
  for (const [key, value] of younger) await putLease(lab, key, value);
  for (const [index, [key]] of younger.entries())
    await waitFor(`word of ${key}`, async () => reasons[index]!.test((await told(key)) ?? ''));
  await waitFor(
    'the third out of the kernel',
    async () => !(await picture(namespace)).includes('192.168.30.0/24 via'),
  );
  const refused = await picture(namespace);
  for (const route of ['192.168.20.128/25 via', '192.168.21.0/24 via', '192.168.30.0/24 via'])
    t.false(refused.includes(route), refused);
  t.true(refused.includes('192.168.20.0/24 via'), refused);

  const metrics = (await namespace.attempt(['curl', '--silent', 'http://127.0.0.1:8471/metrics'])).stdout;
  for (const line of [
    'loden_ready 1',
    'loden_etcd_up 1',
    'loden_peers_refused{kind="overlap"} 1',
    'loden_peers_refused{kind="mark"} 1',
    'loden_refused_lease_info{subnet="192.168.30.0/24",public_ip="192.168.77.15",kind="this-host",' +
      `reason="takes 192.168.30.1, this host's own on br9"} 1`,
  ])
    t.true(metrics.includes(`${line}\n`), `${line}\n${metrics}`);

  await deleteLease(lab, '192.168.20.0-24');
  await waitFor('the younger ones', async () => {
    const now = await picture(namespace);
    return now.includes('192.168.20.128/25 via') && now.includes('192.168.21.0/24 via') && now;
  });
  t.false((await picture(namespace)).includes('192.168.20.0/24 via'));
  await namespace.ip('link del br9');
  await waitFor('the third', async () => (await picture(namespace)).includes('192.168.30.0/24 via'));
  for (const [key] of younger) await deleteLease(lab, key);
  await putLease(lab, '192.168.20.0-24', vxlanLease('192.168.77.12', '02:00:00:00:00:12'));
});

labTest('loden leases shows on that host why each is not used', async (t) => {
  const lab = theLab();
  const host = lab.host('h1');
  const flags = [
    `--etcd-endpoints=${lab.etcd.endpoint}`,
    `--subnet-file=${host.directory}/lodend/subnet.env`,
  ];
  const { stdout, stderr } = await host.namespace.attempt([process.execPath, LODEN, 'leases', ...flags]);
  const line = (subnet: string) => stdout.split('\n').find((text) => text.startsWith(subnet)) ?? stdout;
  for (const [key, , reason] of REFUSED) t.regex(line(key.replace('-', '/')), reason);
  t.regex(line('192.168.20.0/24'), /ok$/);
  for (const [key] of SKIPPED) t.true(stderr.includes(`skipped ${key}: `), stderr);
});
