/** `loden plan` and `loden cleanup` on a host of their own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { Etcd } from '../../src/lab/etcd.js';
import type { CommandResult, Namespace } from '../../src/lab/namespace.js';
import { loneHost } from '../netns/lone-host.js';

const TOOL = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));
const PREFIX = '/coreos.com/network';
const asRoot = process.getuid?.() === 0 ? test : test.skip;

interface Host {
  readonly namespace: Namespace;
  readonly etcd: Etcd;
  readonly subnetFile: string;
  loden(...words: readonly string[]): Promise<CommandResult>;
}

async function makeHost(t: ExecutionContext, backend: object): Promise<Host> {
  const { namespace, etcd, directory } = await loneHost(t);
  const put = (key: string, value: object) => etcd.ctl('put', `${PREFIX}/${key}`, JSON.stringify(value));
  const lease = (n: number) => {
    const VtepMAC = `0e:00:00:00:00:0${n}`;
    const BackendType = 'Type' in backend ? backend.Type : '';
    return { PublicIP: `192.0.2.${n}`, PublicIPv6: null, BackendType, BackendData: { VNI: 1, VtepMAC } };
  };
  await put('config', { Network: '10.5.0.0/16', Backend: backend });
  for (const n of [1, 2, 3]) await put(`subnets/10.5.${n}.0-24`, lease(n));
  const subnetFile = join(directory, 'subnet.env');
  await writeFile(subnetFile, 'FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.1.1/24\n');
  const env = {
    LODEND_ETCD_ENDPOINTS: etcd.endpoint,
    LODEND_SUBNET_FILE: subnetFile,
    LODEND_STATE_DIR: directory,
  };
  const loden = (...words: readonly string[]) =>
    namespace.attempt([process.execPath, TOOL, ...words], { env });
  return { namespace, etcd, subnetFile, loden };
}

/** Runs what was printed, line by line, as a person would paste it. */
async function paste(host: Host, lines: string): Promise<void> {
  await host.namespace.exec(['sh', '-e'], { input: lines });
}

for (const Type of ['vxlan', 'host-gw']) {
  asRoot(
    `what ${Type} would change can be pasted into a shell, and then nothing is left to change`,
    async (t) => {
      const host = await makeHost(t, { Type });
      const { exitCode, stdout } = await host.loden('plan');
      t.is(exitCode, 0);
      t.regex(stdout, /^ip route add 10\.5\.2\.0\/24 /m);
      t.is(await host.namespace.exec(['ip', 'route', 'show', 'proto', '76']), '');
      await paste(host, stdout);
      const again = await host.loden('plan');
      t.is(again.stdout, '');
      t.regex(again.stderr, /nothing to change/);
    },
  );
}

asRoot('a plan tells a script which subnet it is for, and each change', async (t) => {
  const host = await makeHost(t, { Type: 'host-gw' });
  const plan = JSON.parse((await host.loden('plan', '--json')).stdout);
  t.is(plan.subnet, '10.5.1.0/24');
  const route = plan.changes.find(({ object }: { object: { kind: string } }) => object.kind === 'route');
  t.like(route, { kind: 'add', object: { destination: '10.5.2.0/24', gateway: '192.0.2.2' } });
  t.regex(route.command, /^ip route add 10\.5\.2\.0\/24 via 192\.0\.2\.2/);
});

asRoot('a host without a lease has no plan, and is told so', async (t) => {
  const host = await makeHost(t, { Type: 'vxlan' });
  await host.etcd.ctl('del', `${PREFIX}/subnets/10.5.1.0-24`);
  const { exitCode, stdout, stderr } = await host.loden('plan');
  t.is(exitCode, 0);
  t.is(stdout, '');
  t.regex(stderr, /holds no lease/);
});

asRoot('cleanup removes what is ours, and nothing else', async (t) => {
  const host = await makeHost(t, { Type: 'vxlan' });
  await paste(host, (await host.loden('plan')).stdout);
  await host.namespace.ip('route add 10.5.9.0/24 via 192.0.2.9');
  const refused = await host.loden('cleanup');
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /--yes$/m);
  t.regex(await host.namespace.exec(['ip', 'link']), /flannel\.1/);

  const { exitCode, stdout } = await host.loden('cleanup', '--yes');
  t.is(exitCode, 0);
  t.regex(stdout, /^this host is clean/m);
  t.notRegex(await host.namespace.exec(['ip', 'link']), /flannel/);
  t.is(
    (await host.namespace.exec(['ip', 'route', 'show', 'root', '10.5.0.0/16'])).trim(),
    '10.5.9.0/24 via 192.0.2.9 dev eth0',
  );
  t.is((await host.namespace.attempt(['test', '-e', host.subnetFile])).exitCode, 1);
  t.regex(await host.etcd.ctl('get', '--keys-only', '--prefix', PREFIX), /10\.5\.1\.0-24/);
  t.is((await host.loden('cleanup')).exitCode, 0);
});

asRoot('cleanup removes the device that an earlier VNI left behind too', async (t) => {
  const host = await makeHost(t, { Type: 'vxlan' });
  await paste(host, (await host.loden('plan')).stdout);
  await host.etcd.ctl('put', `${PREFIX}/config`, '{"Network":"10.5.0.0/16","Backend":{"Type":"host-gw"}}');
  t.is((await host.loden('cleanup', '--yes')).exitCode, 0);
  t.notRegex(await host.namespace.exec(['ip', 'link']), /flannel/);
});

asRoot('cleanup --lease releases the lease too, and those of others never', async (t) => {
  const host = await makeHost(t, { Type: 'host-gw' });
  t.is((await host.loden('cleanup', '--lease', '--yes')).exitCode, 0);
  const keys = await host.etcd.ctl('get', '--keys-only', '--prefix', `${PREFIX}/subnets`);
  t.deepEqual(keys.split('\n').filter(Boolean), [
    `${PREFIX}/subnets/10.5.2.0-24`,
    `${PREFIX}/subnets/10.5.3.0-24`,
  ]);

  await writeFile(host.subnetFile, 'FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.2.1/24\n');
  const foreign = await host.loden('cleanup', '--lease', '--yes');
  t.is(foreign.exitCode, 1);
  t.regex(foreign.stderr, /another host's lease/);
});

asRoot('cleanup works without etcd, by the pool in the subnet file', async (t) => {
  const host = await makeHost(t, { Type: 'vxlan' });
  await paste(host, (await host.loden('plan')).stdout);
  await host.etcd.stop();
  const { exitCode } = await host.loden('cleanup', '--offline', '--yes');
  t.is(exitCode, 0);
  t.notRegex(await host.namespace.exec(['ip', 'link']), /flannel/);
  t.is(await host.namespace.exec(['ip', 'route', 'show', 'proto', '76']), '');
  t.is((await host.loden('cleanup', '--offline', '--yes')).exitCode, 1);
});
