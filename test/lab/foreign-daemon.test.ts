import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import test from 'ava';
import { Lab } from '../../src/lab/lab.js';
import { ping } from '../../src/lab/ping.js';

const possible = process.getuid?.() === 0 && existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables');
const withBridgeFilter = possible ? test.serial : test.serial.skip;

/** What the lab needs of a flanneld: the flag, and a subnet file when it is ready. */
const STAND_IN = `#!/bin/bash
for flag; do case $flag in --subnet-file=*) file=\${flag#*=} ;; esac; done
echo "flags: $*"
printf 'FLANNEL_NETWORK=10.77.0.0/16\\nFLANNEL_SUBNET=10.77.9.1/24\\nFLANNEL_MTU=1400\\n' >"$file"
exec sleep 1000
`;

withBridgeFilter('the program that FLANNELD names runs on a host, with its container', async (t) => {
  const folder = await mkdtemp(`${tmpdir()}/loden-lab-`);
  t.teardown(() => rm(folder, { recursive: true }));
  process.env.FLANNELD = `${folder}/flanneld`;
  await writeFile(process.env.FLANNELD, STAND_IN);
  await chmod(process.env.FLANNELD, 0o755);

  const lab = await Lab.up({ hosts: 1, daemon: 'flanneld', flags: ['--iface=eth0'] });
  t.teardown(() => lab.down());
  const host = lab.host('h1');
  t.is(host.container?.address, '10.77.9.2');
  t.is((await ping(host.namespace, '10.77.9.2', 1)).received, 1);
  t.regex(await host.daemon.log(), /--etcd-endpoints=http:\/\/192\.168\.77\.254:2379 .* --iface=eth0/);
  t.is((await host.daemon.stop())?.signal, 'SIGTERM');
});

withBridgeFilter('a daemon that ends early is told of with the end of its log', async (t) => {
  process.env.FLANNELD = '/bin/false';
  await t.throwsAsync(Lab.up({ hosts: 1, daemon: 'flanneld' }), {
    message: /flanneld in loden-.*-h1: ended before it was ready/,
  });
});
