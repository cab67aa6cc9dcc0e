import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { findDockerd } from '../../src/docker/dockerd.js';
import { dockerFlags } from '../../src/docker/flag-sources.js';
import { findFlags } from '../../src/docker/flags.js';
import { folderWith } from './folder.js';

const UNIT = '/lib/systemd/system/docker.service';
const DEFAULTS = '/etc/default/docker';

/** Like Debian's. */
const DEBIAN = `[Unit]
Description=Docker
[Service]
Type=notify
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/sbin/dockerd -H fd:// \\
  --containerd=/run/containerd/containerd.sock $DOCKER_OPTS
ExecReload=/bin/kill -s HUP $MAINPID
[Install]
WantedBy=multi-user.target
`;

function found(words: string): string[] {
  return findFlags(words.split(' '), 'x').map(({ name, value }) => `${name}=${value}`);
}

test('a flag has its value after = or as the next word, a boolean none', (t) => {
  t.deepEqual(found('--bip=10.1.2.1/24 --mtu 1450 --ip-masq --fixed-cidr= -H fd://'), [
    'bip=10.1.2.1/24',
    'mtu=1450',
    'ip-masq=true',
    'fixed-cidr=',
  ]);
});

test('the bridge has a short form', (t) => {
  t.deepEqual(['-b br0', '-b=br0', '-bbr0', '--bridge br0'].flatMap(found), Array(4).fill('bridge=br0'));
});

test('flags that only look alike are not taken for ours', (t) => {
  t.deepEqual(
    found('--bip6=fd00::1/64 --default-gateway-v6 fd00::1 --label mtu=3 -D -- --bip=10.1.2.1/24'),
    [],
  );
});

/** What is found in a host of these files, as `name=value source`. */
const CONFIGURED: readonly (readonly [
  title: string,
  files: Record<string, string>,
  flags: readonly string[],
])[] = [
  ['nothing anywhere', {}, []],
  [
    'the command of the unit',
    { [UNIT]: '[Service]\nExecStart=dockerd --bip=10.1.2.1/24\n' },
    ['bip=10.1.2.1/24 docker.service'],
  ],
  [
    'a variable of its environment file, once',
    { [UNIT]: DEBIAN, [DEFAULTS]: '# DOCKER_OPTS="--mtu=9000"\nDOCKER_OPTS="--bip=10.1.2.1/24 --debug"\n' },
    ['bip=10.1.2.1/24 DOCKER_OPTS in /etc/default/docker'],
  ],
  [
    'the file of an init script, without a unit',
    { [DEFAULTS]: "export DOCKER_OPTS='--mtu 1400'\n" },
    ['mtu=1400 DOCKER_OPTS in /etc/default/docker'],
  ],
  [
    'a file that refers to itself',
    { [DEFAULTS]: 'DOCKER_OPTS=--mtu=1400\nDOCKER_OPTS="$DOCKER_OPTS --ip-masq=false" # more\n' },
    ['mtu=1400 DOCKER_OPTS in /etc/default/docker', 'ip-masq=false DOCKER_OPTS in /etc/default/docker'],
  ],
  [
    'what flannel left for a drop-in',
    {
      [UNIT]: '[Service]\nExecStart=/usr/bin/dockerd -H fd:// $DOCKER_NETWORK_OPTIONS\n',
      '/etc/systemd/system/docker.service.d/flannel.conf':
        '[Service]\nEnvironmentFile=-/run/flannel/docker\n',
      '/run/flannel/docker':
        'DOCKER_OPT_BIP="--bip=10.5.1.1/24"\nDOCKER_NETWORK_OPTIONS=" --bip=10.5.1.1/24 --mtu=1450"\n',
    },
    [
      'bip=10.5.1.1/24 DOCKER_NETWORK_OPTIONS in /run/flannel/docker',
      'mtu=1450 DOCKER_NETWORK_OPTIONS in /run/flannel/docker',
    ],
  ],
  [
    'a drop-in that gives the unit another command',
    {
      [UNIT]: '[Service]\nExecStart=dockerd --bip=10.1.2.1/24\n',
      '/etc/systemd/system/docker.service.d/10-own.conf':
        '[Service]\nExecStart=\nExecStart=dockerd --mtu=1400\n',
    },
    ['mtu=1400 docker.service'],
  ],
  [
    'the unit in /etc, which hides the one that was shipped',
    {
      [UNIT]: '[Service]\nExecStart=dockerd --bip=10.1.2.1/24\n',
      '/etc/systemd/system/docker.service': '[Service]\nExecStart=dockerd\n',
    },
    [],
  ],
  [
    'a part of a word, from Environment=',
    { [UNIT]: '[Service]\nEnvironment="BIP=10.1.2.1/24" X=1\nExecStart=dockerd --bip=$BIP\n' },
    ['bip=10.1.2.1/24 docker.service'],
  ],
  [
    'a command that goes on after a comment',
    { [UNIT]: '[Service]\nExecStart=dockerd \\\n# ours \\\n; and\n  --mtu=1400\n' },
    ['mtu=1400 docker.service'],
  ],
  [
    'a command that a shell is told',
    { [UNIT]: `[Service]\nExecStart=/bin/sh -ec 'exec dockerd --bip=10.1.2.1/24 -H fd://'\n` },
    ['bip=10.1.2.1/24 docker.service'],
  ],
  [
    'environment files by a pattern',
    {
      [UNIT]: '[Service]\nEnvironmentFile=-/etc/docker.d/*.env\nExecStart=dockerd $OPTIONS\n',
      '/etc/docker.d/1.env': 'OPTIONS=--mtu=1400\n',
      '/etc/docker.d/2.env~': 'OPTIONS=--mtu=1300\n',
    },
    ['mtu=1400 OPTIONS in /etc/docker.d/1.env'],
  ],
  [
    'a value over lines, and one that is added to',
    { [DEFAULTS]: 'DOCKER_OPTS="--debug\n --bip=10.1.2.1/24"\nDOCKER_OPTS+=" --mtu=1400"\n' },
    ['bip=10.1.2.1/24 DOCKER_OPTS in /etc/default/docker', 'mtu=1400 DOCKER_OPTS in /etc/default/docker'],
  ],
];

for (const [title, files, flags] of CONFIGURED)
  test(`flags that dockerd will be started with: ${title}`, async (t) => {
    const root = await folderWith(t, files);
    const all = await dockerFlags(undefined, root);
    t.deepEqual(
      all.map(({ name, value, source }) => `${name}=${value} ${source}`),
      flags,
    );
  });

test('flags of the dockerd that runs count too, and are told by their source where that is known', async (t) => {
  const root = await folderWith(t, { [UNIT]: DEBIAN, [DEFAULTS]: 'DOCKER_OPTS=--mtu=1400\n' });
  const running = { pid: 7, words: ['--mtu=1400', '--bip', '10.1.2.1/24'], startedAt: 0 };
  t.deepEqual(
    (await dockerFlags(running, root)).map(({ name, source }) => `${name}: ${source}`),
    ['mtu: DOCKER_OPTS in /etc/default/docker', 'bip: the dockerd that runs, process 7'],
  );
});

test('the dockerd that counts is the one in our own network', async (t) => {
  const stat = (start: number) => `1 (docker) d) S ${'0 '.repeat(18)}${start} 0\n`;
  const files = (pid: number, name: string, start = 0) => ({
    [`proc/${pid}/comm`]: `${name}\n`,
    [`proc/${pid}/cmdline`]: `/usr/bin/${name}\0--debug\0-b\0br0\0`,
    [`proc/${pid}/stat`]: stat(start),
    [`proc/${pid}/ns/other`]: '',
  });
  const root = await folderWith(t, {
    'proc/uptime': '100.00 7.00\n',
    'proc/self/ns/other': '',
    ...files(10, 'dockerd-rootless'),
    ...files(11, 'dockerd'),
    ...files(12, 'dockerd', 4_000),
  });
  t.is(await findDockerd(root), undefined);
  for (const [pid, network] of [
    ['self', 'net:[1]'],
    ['10', 'net:[1]'],
    ['11', 'net:[2]'],
    ['12', 'net:[1]'],
  ] as const)
    await symlink(network, join(root, 'proc', pid, 'ns/net'));
  const dockerd = await findDockerd(root);
  t.deepEqual([dockerd?.pid, dockerd?.words], [12, ['--debug', '-b', 'br0']]);
  // It began 40 s after the boot, which was 100 s ago.
  t.true(Math.abs(dockerd!.startedAt - (Date.now() - 60_000)) < 5_000);
});
