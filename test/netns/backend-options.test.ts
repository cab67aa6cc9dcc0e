/** What the options of the backends make of device, routes and leases. */
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest, subnetOf } from './lab-test.js';
import { leaseOf, putLease } from './lease-keys.js';

const device = async (
  host: { ip(line: string): Promise<string>; exec(words: string[]): Promise<string> },
  name: string,
) => host.exec(['ip', '-details', 'link', 'show', name]);

labTest("vxlan: VNI, Port, MTU, GBP and Learning are the device's, and packets get through", async (t) => {
  const Backend = { Type: 'vxlan', VNI: 5, Port: 4790, MTU: 1400, GBP: true, Learning: true };
  const lab = await labFor(t, { config: { Backend } });
  t.is((await lab.untilAllReach()).length, 2);
  const text = await device(lab.host('h1'), 'flannel.5');
  t.regex(text, /mtu 1350 /);
  t.regex(
    text,
    /vxlan id 5 local 192\.168\.77\.1 dev eth0 srcport 0 0 dstport 4790 (learning )?ttl auto ageing 300 .*gbp/,
  );
  t.notRegex(text, /nolearning/);
});

labTest('vxlan: with DirectRouting, peers on the same wire get plain routes and nothing else', async (t) => {
  const lab = await labFor(t, { config: { Backend: { Type: 'vxlan', DirectRouting: true } } });
  const [h1, h2] = [lab.host('h1'), lab.host('h2')];
  t.is((await lab.untilAllReach()).length, 2);
  t.regex(await h1.ip(`route show ${subnetOf(h2)}`), /via 192\.168\.77\.2 dev eth0 proto 76/);
  t.is(await h1.exec(['bridge', 'fdb', 'show', 'dev', 'flannel.1']), '');
  t.is(await h1.ip('neighbour show dev flannel.1 nud permanent'), '');
});

labTest(
  "vxlan: behind NAT the public IP is advertised, and the device sends from the uplink's address",
  async (t) => {
    const lab = await labFor(t, { hosts: 1, flags: ['--iface=eth0', '--public-ip=192.0.2.1'] });
    t.truthy(await leaseOf(lab, '192.0.2.1'));
    t.regex(await device(lab.host('h1'), 'flannel.1'), /local 192\.168\.77\.1 /);
  },
);

labTest('host-gw: a peer behind a router is told of and gets no route, until it moves here', async (t) => {
  const lab = await labFor(t, { hosts: 1, backend: 'host-gw' });
  const host = lab.host('h1');
  const lease = (ip: string) => ({ PublicIP: ip, PublicIPv6: null, BackendType: 'host-gw' });
  await putLease(lab, '10.77.201.0-24', lease('192.0.2.9'));
  await putLease(lab, '10.77.202.0-24', lease('192.168.77.9'));
  await waitFor('the other peer', async () => (await host.ip('route')).includes('10.77.202.0/24'));
  t.notRegex(await host.ip('route'), /10\.77\.201/);
  t.regex(
    await host.daemon.log(),
    /lease refused subnet=10\.77\.201\.0-24 .*192\.0\.2\.9 is not on-link at eth0/,
  );
  await putLease(lab, '10.77.201.0-24', lease('192.168.77.10'));
  await waitFor('its route', async () =>
    (await host.ip('route')).includes('10.77.201.0/24 via 192.168.77.10'),
  );
  t.is((await host.daemon.log()).match(/lease refused/g)?.length, 1);
});
