/** lodend with an etcd that does not let everybody in. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { ETCD_PREFIX } from '../../src/lab/etcd-service.js';
import type { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { WIRE_ADDRESS } from '../../src/lab/wire.js';
import { makeCertificates } from '../etcd/certificates.js';
import { labFor, labTest } from './lab-test.js';

/** A lab without daemons whose etcd speaks TLS, and the folder with the certificates. */
async function labWithTls(t: ExecutionContext, ...flags: string[]): Promise<{ lab: Lab; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'loden-access-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await makeCertificates(folder, `IP:${WIRE_ADDRESS}`);
  const file = (name: string) => `${folder}/${name}`;
  const lab = await labFor(t, {
    daemon: false,
    etcd: {
      scheme: 'https',
      flags: [
        `--cert-file=${file('server.crt')}`,
        `--key-file=${file('server.key')}`,
        ...flags.map((flag) => flag.replace('%', folder)),
      ],
      clientFlags: [
        `--cacert=${file('ca.crt')}`,
        `--cert=${file('client.crt')}`,
        `--key=${file('client.key')}`,
      ],
    },
  });
  return { lab, folder };
}

/** Starts a lodend on each host, and containers, and holds that all reach each other. */
async function worksWith(t: ExecutionContext, lab: Lab, flags: readonly string[]): Promise<void> {
  const daemons = lab.hosts.map((host) => host.makeDaemon('lodend', { kind: 'lodend', flags }));
  for (const daemon of daemons) await daemon.start();
  for (const [index, host] of lab.hosts.entries()) {
    await daemons[index]!.ready();
    const [, bridgeAddress] = /FLANNEL_SUBNET=(.*)/.exec(
      await host.exec(['cat', daemons[index]!.subnetFile]),
    )!;
    await host.attachContainer({ bridgeAddress: bridgeAddress!, mtu: 1450 });
  }
  t.is((await lab.untilAllReach()).length, 2);
  await daemons[0]!.restart();
  t.notRegex(await daemons[0]!.log(), / error | warn +(?!waiting for etcd)/);
  for (const daemon of daemons) t.notRegex(await daemon.log(), /-secret|PRIVATE KEY/);
}

labTest('TLS with a CA alone, and a user whose role has no more than flannel needs', async (t) => {
  const { lab, folder } = await labWithTls(t);
  const ctl = (line: string) => lab.etcd.ctl(...line.split(' '));
  await ctl('user add root:root-secret');
  await ctl('user grant-role root root');
  await ctl('role add flannel');
  await ctl(`role grant-permission flannel read ${ETCD_PREFIX}/config`);
  await ctl(`role grant-permission --prefix=true flannel readwrite ${ETCD_PREFIX}/subnets`);
  await ctl('user add flannel:flannel-secret');
  await ctl('user grant-role flannel flannel');
  await ctl('auth enable');
  const user = ['--etcd-username=flannel', '--etcd-password=flannel-secret'];
  await worksWith(t, lab, [`--etcd-cafile=${folder}/ca.crt`, ...user]);
});

labTest('TLS with client certificates', async (t) => {
  const { lab, folder } = await labWithTls(t, '--client-cert-auth', '--trusted-ca-file=%/ca.crt');
  const certificate = [`--etcd-certfile=${folder}/client.crt`, `--etcd-keyfile=${folder}/client.key`];
  await worksWith(t, lab, [`--etcd-cafile=${folder}/ca.crt`, ...certificate]);
});

labTest('what etcd refuses is said with what to do, and waited for', async (t) => {
  const { lab, folder } = await labWithTls(t);
  await lab.etcd.ctl('user', 'add', 'root:root-secret');
  await lab.etcd.ctl('user', 'grant-role', 'root', 'root');
  await lab.etcd.ctl('auth', 'enable');
  const daemon = lab
    .host('h1')
    .makeDaemon('lodend', { kind: 'lodend', flags: [`--etcd-cafile=${folder}/ca.crt`] });
  await daemon.start();
  const says = (text: string) => waitFor(text, async () => (await daemon.log()).includes(text));
  await says('--etcd-username and --etcd-password');
  await lab.etcd.ctl('--user=root:root-secret', 'auth', 'disable');
  await daemon.ready();
  t.pass();
});
