/** The firewall as the daemon and the tool have it, on hosts of a lab. */
import anyTest, { type TestFn } from 'ava';
import { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { canIsolate } from './isolated-kernel.js';

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
  const loden = [process.execPath, new URL('../../cmd/loden.js', import.meta.url).pathname];
  const flags = [`--etcd-endpoints=${lab.etcd.endpoint}`, `--subnet-file=${host.daemon.subnetFile}`, '--yes'];
  const told = await host.exec([...loden, 'cleanup', ...flags]);
  t.regex(told, /-D FLANNEL-POSTRTG .* -j MASQUERADE/);
  t.notRegex(await host.exec(['iptables-save']), /FLANNEL|loden/);
});
