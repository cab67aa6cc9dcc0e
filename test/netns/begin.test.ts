/** What lodend says before it has a subnet: what it waits for, and why it cannot begin. */

import type { DaemonOptions } from '../../src/lab/daemon.js';
import { ETCD_PREFIX } from '../../src/lab/etcd-service.js';
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest, occurrences, sharedLab } from './lab-test.js';

const theLab = sharedLab({ hosts: 1, daemon: false });
let made = 0;

function newDaemon(options: Partial<DaemonOptions> = {}) {
  made += 1;
  return theLab()
    .host('h1')
    .makeDaemon(`daemon-${made}`, { kind: 'lodend', ...options });
}

/** Puts a config of its own into etcd, starts lodend on it and waits until it ends. */
async function endOn(config: object | string, ...flags: string[]) {
  const etcdPrefix = `/config-${made + 1}`;
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  await theLab().etcd.ctl('put', `${etcdPrefix}/config`, text);
  const daemon = newDaemon({ etcdPrefix });
  await daemon.start(...flags);
  const { exitCode } = await daemon.ended();
  return { exitCode, last: (await daemon.log()).trimEnd().split('\n').at(-1)! };
}

labTest('lodend waits for etcd and then for the config, and says at once for what', async (t) => {
  const lab = await labFor(t, { hosts: 1, daemon: false });
  await lab.etcd.ctl('del', '--prefix', ETCD_PREFIX);
  await lab.etcd.stop();
  const daemon = lab.host('h1').makeDaemon('lodend', { kind: 'lodend' });
  const says = (text: string) => waitFor(text, async () => (await daemon.log()).includes(text));
  await daemon.start();
  await says('waiting for etcd and the network config');
  t.regex(await daemon.log(), /reason="etcd at 192\.168\.77\.254:2379 does not answer: .*ECONNREFUSED/);
  t.regex(await daemon.readiness(), /^HTTP\/1\.1 503 .*waiting for etcd/s);
  await lab.etcd.start();
  await says(`there is no etcd key ${ETCD_PREFIX}/config yet; write it with: loden config set FILE`);
  t.is(occurrences(await daemon.log(), 'waiting for etcd'), 2);
  await lab.etcd.ctl('put', `${ETCD_PREFIX}/config`, '{"Network":"10.77.0.0/16","Backend":{"Type":"vxlan"}}');
  await daemon.ready();
  t.is(occurrences(await daemon.log(), 'no longer waiting'), 1);
});

labTest(
  'an etcd at a dead address is said to be waited for before the first attempt has failed',
  async (t) => {
    const daemon = newDaemon({ etcdEndpoint: 'http://192.168.77.99:2379' });
    await daemon.start();
    t.teardown(() => daemon.kill());
    const word = async () => /^(\S+) warn .*waiting for etcd.*/m.exec(await daemon.log()) ?? undefined;
    const first = await waitFor('word', word);
    t.regex(first[0], /no result so far/);
    const started = Date.parse(/^(\S+) info +lodend starts/m.exec(await daemon.log())![1]!);
    t.true(Date.parse(first[1]!) - started < 2_000);
  },
);

const vxlan = { Type: 'vxlan' };
for (const [what, config, wanted] of [
  ['no JSON', '{"Network"', /config-\d+\/config: .*JSON/],
  ['no Network', { Backend: vxlan }, /Network/],
  ['a Network that is none', { Network: '10.77', Backend: vxlan }, /Network.*10\.77/],
  [
    'a SubnetLen that leaves too few subnets',
    { Network: '10.77.0.0/24', SubnetLen: 25, Backend: vxlan },
    /SubnetLen.*25/,
  ],
  [
    'a SubnetMin outside',
    { Network: '10.77.0.0/16', SubnetMin: '10.78.0.0', Backend: vxlan },
    /SubnetMin.*10\.78\.0\.0/,
  ],
  [
    'a VNI that is none',
    { Network: '10.77.0.0/16', Backend: { Type: 'vxlan', VNI: 2 ** 24 } },
    /Backend\.VNI.*16777216/,
  ],
  [
    'an unknown backend',
    { Network: '10.77.0.0/16', Backend: { Type: 'vxlam' } },
    /Backend\.Type.*vxlam|vxlam.*Backend\.Type/,
  ],
  [
    'a backend that only flannel has',
    { Network: '10.77.0.0/16', Backend: { Type: 'wireguard' } },
    /flannel's wireguard backend.*vxlan, host-gw, udp, alloc/,
  ],
  [
    'EnableIPv6',
    { Network: '10.77.0.0/16', EnableIPv6: true, IPv6Network: 'fc00::/48', Backend: vxlan },
    /IPv6 networks are not supported yet: EnableIPv6 is true/,
  ],
] as const) {
  labTest(`a config with ${what} ends lodend with 2 and is told of by its field`, async (t) => {
    const { exitCode, last } = await endOn(config);
    t.is(exitCode, 2, last);
    t.regex(last, wanted);
    t.regex(last, /\/config-\d+\/config/);
  });
}

labTest('a config whose keys are spelt in another case, with unknown ones, works and warns', async (t) => {
  await theLab().etcd.ctl(
    'put',
    '/case/config',
    '{"network":"10.88.0.0/16","Colour":"red","BACKEND":{"type":"alloc"}}',
  );
  const daemon = newDaemon({ etcdPrefix: '/case' });
  await daemon.start();
  await daemon.ready();
  t.regex(await daemon.log(), / warn .*Colour/);
  await daemon.stop();
});

labTest('an unknown flag ends lodend with 2 and names the nearest right one', async (t) => {
  const daemon = newDaemon();
  await daemon.start('--ifase=eth0');
  t.is((await daemon.ended()).exitCode, 2);
  t.regex(await daemon.log(), /--ifase.*--iface/);
});

labTest('a flag with a bad value ends lodend with 2 and says what is accepted', async (t) => {
  const daemon = newDaemon();
  await daemon.start('--subnet-lease-renew-margin=1440');
  t.is((await daemon.ended()).exitCode, 2);
  t.regex(await daemon.log(), /--subnet-lease-renew-margin.*1440.*1.*1439/);
});

labTest('without an uplink that fits, lodend lists what there is', async (t) => {
  const config = { Network: '10.77.0.0/16', Backend: vxlan };
  const byName = await endOn(config, '--iface=eth7');
  t.is(byName.exitCode, 1);
  t.regex(byName.last, /no interface fits --iface=eth7\. This host has .*eth0 \(192\.168\.77\.1\/24, up\)/);
  await theLab().host('h1').ip('route del default');
  const byRoute = await endOn(config);
  t.is(byRoute.exitCode, 1);
  t.regex(byRoute.last, /no default route.*eth0 \(192\.168\.77\.1\/24, up\).*--iface/);
});

labTest('host-gw behind NAT ends lodend with the reason', async (t) => {
  const config = { Network: '10.77.0.0/16', Backend: { Type: 'host-gw' } };
  const { exitCode, last } = await endOn(config, '--iface=eth0', '--public-ip=192.0.2.1');
  t.is(exitCode, 1);
  t.regex(last, /192\.0\.2\.1.*192\.168\.77\.1.*NAT/);
});
