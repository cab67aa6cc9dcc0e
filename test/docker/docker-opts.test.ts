import { lstat, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { parseAssignments } from '../../src/docker/assignments.js';
import { type DockerOptsRequest, formatDockerOpts, routedElsewhere } from '../../src/docker/docker-opts.js';
import { folderWith } from './folder.js';

const LODEN = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));
const SUBNET =
  'FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.74.1/24\nFLANNEL_MTU=1472\nFLANNEL_IPMASQ=false\n';

const BIP = 'DOCKER_OPT_BIP="--bip=10.1.74.1/24"\n';
const IPMASQ = 'DOCKER_OPT_IPMASQ="--ip-masq=true"\n';
const MTU = 'DOCKER_OPT_MTU="--mtu=1472"\n';
const ALL = ' --bip=10.1.74.1/24 --ip-masq=true --mtu=1472';

interface Case {
  readonly title: string;
  readonly asked?: Partial<DockerOptsRequest>;
  /** Of the subnet file. */
  readonly subnet?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly output: string;
}

/** What flannel's own script writes. */
const CASES: readonly Case[] = [
  { title: 'each option, and all together', output: `${BIP}${IPMASQ}${MTU}DOCKER_OPTS="${ALL}"\n` },
  { title: 'each option alone', asked: { individual: true }, output: `${BIP}${IPMASQ}${MTU}` },
  { title: 'all together alone', asked: { combined: true }, output: `DOCKER_OPTS="${ALL}"\n` },
  {
    title: 'both, asked for',
    asked: { individual: true, combined: true },
    output: `${BIP}${IPMASQ}${MTU}DOCKER_OPTS="${ALL}"\n`,
  },
  {
    title: 'nothing of masquerade',
    asked: { ipMasq: false },
    output: `${BIP}${MTU}DOCKER_OPTS=" --bip=10.1.74.1/24 --mtu=1472"\n`,
  },
  {
    title: 'another key',
    asked: { combined: true, key: 'DOCKER_NETWORK_OPTIONS' },
    output: `DOCKER_NETWORK_OPTIONS="${ALL}"\n`,
  },
  {
    title: 'flannel masquerades, so Docker does not',
    asked: { combined: true },
    subnet: SUBNET.replace('false', 'true'),
    output: `DOCKER_OPTS="${ALL.replace('=true', '=false')}"\n`,
  },
  {
    title: 'options of others around ours',
    asked: { combined: true },
    env: { DOCKER_OPTS: '--x', DOCKER_OPT_FOO: '--foo' },
    output: 'DOCKER_OPTS="--x  --bip=10.1.74.1/24 --foo --ip-masq=true --mtu=1472"\n',
  },
  {
    title: 'what was under the key in the subnet file',
    asked: { combined: true },
    subnet: `${SUBNET}DOCKER_OPTS="--debug"\n`,
    output: `DOCKER_OPTS="--debug ${ALL}"\n`,
  },
  { title: 'no subnet', subnet: '', output: 'DOCKER_OPTS=""\n' },
  { title: 'no subnet, each alone', asked: { individual: true }, subnet: '', output: '' },
];

for (const { title, asked = {}, subnet = SUBNET, env = {}, output } of CASES)
  test(`docker-opts writes what flannel's script does: ${title}`, (t) => {
    const variables = new Map([...Object.entries(env), ...parseAssignments(subnet)]);
    const defaults = { individual: false, combined: false, ipMasq: true, key: 'DOCKER_OPTS' };
    t.is(formatDockerOpts({ variables, ...defaults, ...asked }), output);
  });

test("the command has the script's flags, and replaces what the file held", async (t) => {
  const folder = await folderWith(t, { 'opts.env': 'OLD=1\n', 'subnet.env': SUBNET });
  const { exitCode } = await dockerOpts(folder, '-icm -k KEY', { KEY: '--debug' });
  t.is(exitCode, 0);
  const text = `${BIP}${MTU}KEY="--debug  --bip=10.1.74.1/24 --mtu=1472"\n`;
  t.is(await readFile(join(folder, 'opts.env'), 'utf8'), text);
});

test('what is no file is written to and stays what it is: a link, a device', async (t) => {
  const folder = await folderWith(t, { 'subnet.env': SUBNET, 'real.env': 'OLD=1\n' });
  await symlink('real.env', join(folder, 'opts.env'));
  await dockerOpts(folder, '-i', {});
  t.is(await readFile(join(folder, 'real.env'), 'utf8'), `${BIP}${IPMASQ}${MTU}`);
  t.true((await lstat(join(folder, 'opts.env'))).isSymbolicLink());
  const words = [process.execPath, LODEN, 'docker-opts', '-f', join(folder, 'subnet.env'), '-i'].join(' ');
  // A pipe as a shell makes it: Node's own are sockets, which nobody can open by a name.
  const { stdout } = await execa('sh', ['-c', `${words} -d /dev/stdout | cat`]);
  t.is(`${stdout}\n`, `${BIP}${IPMASQ}${MTU}`);
});

test('without a subnet file the command writes an empty value and succeeds', async (t) => {
  const folder = await folderWith(t, {});
  t.is((await dockerOpts(folder, '-c', {})).exitCode, 0);
  t.is(await readFile(join(folder, 'opts.env'), 'utf8'), 'DOCKER_OPTS=""\n');
});

test('a file name without a slash is found, which the script fails at under dash', async (t) => {
  const folder = await folderWith(t, { 'subnet.env': SUBNET });
  await execa(process.execPath, [LODEN, 'docker-opts', '-f', 'subnet.env', '-d', 'opts.env', '-i'], {
    cwd: folder,
  });
  t.is(await readFile(join(folder, 'opts.env'), 'utf8'), `${BIP}${IPMASQ}${MTU}`);
});

test('a value of FLANNEL_IPMASQ that is none ends it with 1, and no file is written', async (t) => {
  const folder = await folderWith(t, { 'subnet.env': SUBNET.replace('false', 'perhaps') });
  const { exitCode, stderr } = await dockerOpts(folder, '', {});
  t.is(exitCode, 1);
  t.regex(stderr, /Invalid value of FLANNEL_IPMASQ: perhaps/);
  await t.throwsAsync(readFile(join(folder, 'opts.env')));
});

test('a subnet that is routed elsewhere is told', (t) => {
  const header = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
  const line = (destination: string, gateway: string, mask: string) =>
    `eth0\t${destination}\t${gateway}\t0003\t0\t0\t0\t${mask}\t0\t0\t0\n`;
  const variables = parseAssignments(SUBNET);
  const elsewhere = (text: string) => routedElsewhere(variables, header + text);
  t.deepEqual(elsewhere(line('004A010A', '0100000A', '00FFFFFF')), { address: 0x0a014a00, length: 24 });
  t.is(elsewhere(line('004A010A', '00000000', '00FFFFFF')), undefined);
  t.is(elsewhere(line('004A010A', '0100000A', '0000FFFF')), undefined);
  t.is(
    elsewhere(line('004B010A', '0100000A', '00FFFFFF') + line('00000000', '0100000A', '00000000')),
    undefined,
  );
});

async function dockerOpts(folder: string, flags: string, env: Readonly<Record<string, string>>) {
  const files = ['-f', join(folder, 'subnet.env'), '-d', join(folder, 'opts.env')];
  const words = [LODEN, 'docker-opts', ...files, ...flags.split(' ').filter(Boolean)];
  const clean = { PATH: process.env.PATH, ...env };
  return execa(process.execPath, words, { reject: false, env: clean, extendEnv: false });
}
