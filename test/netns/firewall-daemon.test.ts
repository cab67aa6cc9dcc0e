/** The firewall as the daemon and the tool have it, on hosts of a lab. */
import { fileURLToPath } from 'node:url';
import anyTest, { type TestFn } from 'ava';
import { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { canIsolate } from './isolated-kernel.js';

const LODEN = [process.execPath, fileURLToPath(new URL('../../cmd/loden.js', import.meta.url))];
const test = (canIsolate ? anyTest.serial : anyTest.skip) as TestFn;

test('--ip-blackhole-route catches what the bridge does not, and stands in nobody’s way', async (t) => {
  const lab = await Lab.up({ hosts: 2, flags: ['--ip-blackhole-route'] });
  t.teardown(() => lab.down());
  await lab.untilAllReach();
  const host = lab.host('h1');
  const blackholes = () => host.ip('route show type blackhole');
  t.regex(await blackholes(), /^blackhole 10\.77\.\d+\.0\/24 proto 76 metric 4294967295\s*$/);
  await host.daemon.restart();
  await lab.untilAllReach();
  t.notRegex(await host.daemon.log(), /clash|shadow|in the way/);
  await host.ip('link delete docker0');
  t.regex(await blackholes(), /^blackhole/);
  await host.ip('route flush type blackhole');
  await waitFor('the blackhole', async () => (await blackholes()) !== '');
});

test('containers reach each other on hosts whose policy is to drop, and a host is clean after loden cleanup', async (t) => {
  const lab = await Lab.up({ hosts: 2, backend: 'host-gw', flags: ['--ip-masq'] });
  t.teardown(() => lab.down());
  for (const host of lab.hosts) await host.exec(['iptables', '-P', 'FORWARD', 'DROP']);
  await lab.untilAllReach();
  const host = lab.host('h1');
  t.regex(await host.exec(['iptables-save', '-t', 'nat']), /FLANNEL-POSTRTG/);
  await host.daemon.stop();
  const flags = [`--etcd-endpoints=${lab.etcd.endpoint}`, `--subnet-file=${host.daemon.subnetFile}`, '--yes'];
  const told = await host.exec([...LODEN, 'cleanup', ...flags]);
  t.regex(told, /-D FLANNEL-POSTRTG .* -j MASQUERADE/);
  t.notRegex(await host.exec(['iptables-save']), /FLANNEL|loden/);
});

test('loden docker status names the rule that drops packets between containers', async (t) => {
  const lab = await Lab.up({ hosts: 2, backend: 'host-gw' });
  t.teardown(() => lab.down());
  const host = lab.host('h1');
  const files = [`--subnet-file=${host.daemon.subnetFile}`, `--docker-config=${host.directory}/daemon.json`];
  const status = async () => (await host.namespace.attempt([...LODEN, 'docker', 'status', ...files])).stdout;
  await lab.untilAllReach();
  t.notRegex(await status(), /drops packets/);
  await host.exec(['iptables', '-I', 'FORWARD', '-s', '10.77.0.0/16', '-j', 'DROP']);
  t.regex(
    await status(),
    /drops packets from eth0 .*: iptables -t filter -A FORWARD -s 10\.77\.0\.0\/16 -j DROP/,
  );
});
