/** What flanneld and lodend are told, and what they tell Docker: the same. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { DAEMON_OPTIONS } from '../../src/config/options/daemon.js';
import type { OptionSpec } from '../../src/config/options/table.js';
import type { JsonValue } from '../../src/json.js';
import { labFor, mixedTest } from './lab-test.js';

mixedTest('every flag of flanneld is one of lodend, with the same default, also as a variable', (t) => {
  const { stderr } = spawnSync(process.env.FLANNELD!, ['--help'], { encoding: 'utf8' });
  const theirs = [...stderr.matchAll(/^ {2}-(\S+).*\n(.*)$/gm)];
  t.true(theirs.length > 20);
  for (const [, flag, help] of theirs) {
    const ours: OptionSpec | undefined = Object.values(DAEMON_OPTIONS).find((option) => option.flag === flag);
    t.truthy(ours, `--${flag}`);
    t.true(ours!.flannel === true || flag === 'version', `--${flag}`);
    const initial = /\(default "?([^"]*)"?\)$/.exec(help!)?.[1];
    if (initial !== undefined && !('ignored' in ours!)) t.is(String(ours!.initial), initial, `--${flag}`);
  }
});

const NETWORKS: readonly [config: Readonly<Record<string, JsonValue>>, ...flags: string[]][] = [
  [{ Network: '10.77.13.5/16' }, '--ip-masq'],
  [{ SubnetLen: 26 }],
  [{ SubnetLen: 28, SubnetMin: '10.77.4.0', SubnetMax: '10.77.4.240', EnableIPv4: true }],
  [{ Network: '10.77.0.0/24' }],
  [{ Backend: { Type: 'VXLAN', MTU: 1400 } }],
  [{ Backend: { Type: 'host-gw' } }, '--ip-masq=true'],
  [{ Backend: { Type: 'udp' } }],
  [{ Backend: { Type: 'alloc' } }],
];

for (const [config, ...flags] of NETWORKS) {
  const words = [JSON.stringify(config), ...flags].join(' ');
  mixedTest(`the subnet file is flanneld's byte for byte: ${words}`, async (t) => {
    const lab = await labFor(t, { hosts: 1, daemon: 'flanneld', config, flags, container: false });
    const host = lab.host('h1');
    const lodend = host.makeDaemon('lodend', { kind: 'lodend', flags });
    await host.daemon.stop();
    await lodend.start();
    await lodend.ready();
    const [ours, theirs] = [lodend, host.daemon].map(({ subnetFile }) => readFile(subnetFile, 'utf8'));
    t.is(await ours, (await theirs)!);
  });
}
