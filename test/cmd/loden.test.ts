import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { leasePath } from '../../src/lease/codec.js';
import { Etcd } from '../etcd/server.js';

const TOOL = fileURLToPath(new URL('../../cmd/loden.js', import.meta.url));
const DEADLINE_MS = 30_000;

let etcd: Etcd;
let networks = 0;

test.before(async () => {
  etcd = await Etcd.start();
});
test.after.always(() => etcd?.stop());

interface Result {
  readonly exitCode?: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A network of a test's own, by its prefix in the one etcd, and a folder for files. */
class World {
  readonly prefix = `/test/${++networks}`;
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(t: ExecutionContext, config?: object): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'loden-cmd-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const world = new World(folder);
    if (config) await etcd.control('put', `${world.prefix}/config`, JSON.stringify(config));
    return world;
  }

  get environment() {
    return {
      PATH: process.env.PATH,
      LODEND_ETCD_ENDPOINTS: etcd.endpoint,
      LODEND_ETCD_PREFIX: this.prefix,
      LODEND_SUBNET_FILE: join(this.folder, 'subnet.env'),
    };
  }

  start(line: string, input?: string) {
    return execa(process.execPath, [TOOL, ...line.split(' ').filter(Boolean)], {
      env: this.environment,
      extendEnv: false,
      reject: false,
      timeout: DEADLINE_MS,
      ...(input === undefined ? { stdin: 'ignore' } : { input }),
    });
  }

  async loden(line: string, input?: string): Promise<Result> {
    return this.start(line, input);
  }

  /** A lease of a vxlan host; of a day, or for ever. */
  async lease(key: string, publicIp: string, ttl?: 'reserved'): Promise<void> {
    const granted = ttl ? '0' : (await etcd.control('lease', 'grant', '86400')).split(' ')[1]!;
    const value = {
      PublicIP: publicIp,
      PublicIPv6: null,
      BackendType: 'vxlan',
      BackendData: { VNI: 1, VtepMAC: `0e:00:00:00:00:${publicIp.split('.')[3]!.padStart(2, '0')}` },
    };
    await etcd.control('put', `--lease=${granted}`, leasePath(this.prefix, key), JSON.stringify(value));
  }

  async file(name: string, json: object): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, JSON.stringify(json));
    return path;
  }

  async keys(): Promise<string[]> {
    const text = await etcd.control('get', '--prefix', '--keys-only', `${this.prefix}/subnets/`);
    return text.split('\n').flatMap((key) => key.split('/').at(-1) || []);
  }

  async config(): Promise<string> {
    return (await etcd.control('get', '--print-value-only', `${this.prefix}/config`)).trimEnd();
  }
}

const VXLAN = { Network: '10.5.0.0/16', Backend: { Type: 'vxlan' } };

test('leases are shown by address, with the time left and a verdict', async (t) => {
  const world = await World.make(t, VXLAN);
  await world.lease('10.5.10.0-24', '192.0.2.10');
  await world.lease('10.5.9.0-24', '192.0.2.9', 'reserved');
  await world.lease('10.9.1.0-24', '192.0.2.11', 'reserved');
  await world.lease('10.5.10.128-25', '192.0.2.12', 'reserved');
  await etcd.control('put', leasePath(world.prefix, 'junk'), '{}');
  const { exitCode, stdout, stderr } = await world.loden('leases');
  t.is(exitCode, 0);
  const lines = stdout.split('\n').map((line) => line.replace(/23h59m|1d /, 'a day').split(/ {2,}/));
  t.deepEqual(lines, [
    ['SUBNET', 'PUBLIC IP', 'BACKEND', 'VTEP', 'TTL', 'STATE'],
    ['10.5.9.0/24', '192.0.2.9', 'vxlan', '0e:00:00:00:00:09', 'reserved', 'ok'],
    ['10.5.10.0/24', '192.0.2.10', 'vxlan', '0e:00:00:00:00:10', 'a day', 'ok'],
    [
      '10.5.10.128/25',
      '192.0.2.12',
      'vxlan',
      '0e:00:00:00:00:12',
      'reserved',
      'refused: overlaps 10.5.10.0/24 of 192.0.2.10, which is older',
    ],
    [
      '10.9.1.0/24',
      '192.0.2.11',
      'vxlan',
      '0e:00:00:00:00:11',
      'reserved',
      'refused: outside the pool 10.5.0.0/16',
    ],
  ]);
  t.regex(stderr, /skipped junk/);
});

test("the lease of this host's subnet file is told as its own", async (t) => {
  const world = await World.make(t, VXLAN);
  await world.lease('10.5.10.0-24', '192.0.2.10');
  await writeFile(
    join(world.folder, 'subnet.env'),
    'FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.10.1/24\n',
  );
  t.regex((await world.loden('leases')).stdout, /ok, this host$/m);
});

test('--json gives a script the leases and what was skipped', async (t) => {
  const world = await World.make(t, VXLAN);
  await world.lease('10.5.10.0-24', '192.0.2.10');
  const { leases, skipped } = JSON.parse((await world.loden('leases --json')).stdout);
  t.is(leases.length, 1);
  t.like(leases[0], { subnet: '10.5.10.0/24', publicIp: '192.0.2.10', state: 'ok', reserved: false });
  t.true(leases[0].ttlSeconds > 86_000);
  t.deepEqual(skipped, []);
});

test('--watch shows a change when it happens, and ends well when interrupted', async (t) => {
  const world = await World.make(t, VXLAN);
  const watching = world.start('leases --watch --json');
  const seen: number[] = [];
  for await (const line of watching) {
    seen.push(JSON.parse(String(line)).leases.length);
    if (seen.length === 1) await world.lease('10.5.10.0-24', '192.0.2.10');
    if (seen.at(-1) === 1) watching.kill('SIGINT');
  }
  t.is((await watching).exitCode, 0);
  t.deepEqual(seen, [0, 1]);
});

test('--watch outlasts an etcd that goes away and comes back', async (t) => {
  const own = await Etcd.start();
  t.teardown(() => own.stop());
  await own.control('put', '/coreos.com/network/config', JSON.stringify(VXLAN));
  const world = await World.make(t);
  const watching = world.start(
    `leases --watch --json --etcd-prefix=/coreos.com/network --etcd-endpoints=${own.endpoint}`,
  );
  const seen: number[] = [];
  for await (const line of watching) {
    seen.push(JSON.parse(String(line)).leases.length);
    if (seen.at(-1) === 1) {
      watching.kill('SIGINT');
      continue;
    }
    await own.halt();
    await own.resume();
    await own.control('put', '/coreos.com/network/subnets/10.5.1.0-24', '{"PublicIP":"192.0.2.1"}');
  }
  t.is((await watching).exitCode, 0);
  t.deepEqual(seen, [0, 1]);
});

test('without a config leases are shown, unjudged', async (t) => {
  const world = await World.make(t);
  await world.lease('10.5.10.0-24', '192.0.2.10');
  const { exitCode, stdout, stderr } = await world.loden('leases');
  t.is(exitCode, 0);
  t.regex(stdout, /unknown$/m);
  t.regex(stderr, /no network config/);
});

test('a subnet is reserved for a host, once', async (t) => {
  const world = await World.make(t, VXLAN);
  const first = await world.loden('leases reserve 10.5.7.0/24 --public-ip 192.0.2.7');
  t.is(first.stdout, '10.5.7.0/24 is reserved for 192.0.2.7');
  t.regex((await world.loden('leases reserve 10.5.7.0/24')).stdout, /already reserved for 192\.0\.2\.7/);
  const [row] = JSON.parse((await world.loden('leases --json')).stdout).leases;
  t.like(row, { subnet: '10.5.7.0/24', publicIp: '192.0.2.7', reserved: true, state: 'unused' });
});

test("a host's lease is released only when somebody says yes", async (t) => {
  const world = await World.make(t, VXLAN);
  await world.lease('10.5.10.0-24', '192.0.2.10');
  const refused = await world.loden('leases release 10.5.10.0/24');
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /192\.0\.2\.10 holds 10\.5\.10\.0\/24 .*--yes$/);
  t.deepEqual(await world.keys(), ['10.5.10.0-24']);
  t.is((await world.loden('leases release 10.5.10.0/24 --yes')).exitCode, 0);
  t.deepEqual(await world.keys(), []);
});

test('a reservation that no host has taken is released without a question', async (t) => {
  const world = await World.make(t, VXLAN);
  await world.loden('leases reserve 10.5.7.0/24');
  t.is((await world.loden('leases release 10.5.7.0-24')).exitCode, 0);
  t.deepEqual(await world.keys(), []);
});

test('a config is checked with the parsers of the daemon and of the backend', async (t) => {
  const world = await World.make(t);
  const check = async (json: object) => world.loden(`config check ${await world.file('net.json', json)}`);
  const good = await check({ ...VXLAN, Comment: '' });
  t.is(good.exitCode, 0);
  t.regex(good.stdout, /^10\.5\.0\.0\/16: 255 subnets \/24/);
  t.regex(good.stderr, /Comment is not a known field/);
  for (const bad of [{}, { Network: '10.5.0.0/16', Backend: { Type: 'vxlan', VNI: 'x' } }]) {
    const { exitCode, stderr } = await check(bad);
    t.is(exitCode, 2);
    t.regex(stderr, /^loden: file .*net\.json: /m);
  }
  t.is((await world.loden('config check -', JSON.stringify(VXLAN))).exitCode, 0);
  t.is((await world.loden('config check /nonexistent')).exitCode, 1);
});

test('a config is set with a diff, and shown as it was set', async (t) => {
  const world = await World.make(t);
  const text = JSON.stringify(VXLAN);
  const first = await world.loden('config set -', text);
  t.is(first.exitCode, 0);
  t.regex(first.stdout, /^\+ {3}"Network": "10\.5\.0\.0\/16",$/m);
  t.is(await world.config(), text);
  const shown = await world.loden('config show');
  t.is(shown.stdout, text);
  t.regex(shown.stderr, /255 subnets/);
  t.regex((await world.loden('config set -', text)).stdout, /has it already/);
});

test('a change that strands leases says how many, and needs a yes', async (t) => {
  const world = await World.make(t, VXLAN);
  await world.lease('10.5.200.0-24', '192.0.2.10');
  const small = JSON.stringify({ ...VXLAN, Network: '10.5.0.0/19' });
  const refused = await world.loden('config set -', small);
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /1 lease is stranded.*--yes/);
  t.is(await world.config(), JSON.stringify(VXLAN));
  t.is((await world.loden('config set --yes -', small)).exitCode, 0);
  t.is(await world.config(), small);
});

test('a config that the daemon would refuse is never written', async (t) => {
  const world = await World.make(t, VXLAN);
  t.is((await world.loden('config set --yes -', '{"Network":"10.5.0.0/31"}')).exitCode, 2);
  t.is(await world.config(), JSON.stringify(VXLAN));
});

const refused: [line: string, exitCode: number, stderr: RegExp][] = [
  ['leasess', 2, /^loden: unknown command 'leasess' \(Did you mean leases\?\)$/],
  ['leases --jsn', 2, /^loden: unknown option '--jsn' \(Did you mean --json\?\)$/],
  ['leases release', 2, /^loden: missing required argument 'subnet'$/],
  ['leases release ten', 2, /^loden: "ten" is not a subnet, accepted is one such as/],
  ['leases release 10.5.1.0/24', 1, /^loden: there is no lease of 10\.5\.1\.0\/24/],
  ['leases reserve 10.5.1.0/24 --public-ip x', 2, /^loden: --public-ip: "x" is not an IPv4 address/],
  ['leases reserve 10.6.1.0/24', 1, /^loden: cannot reserve 10\.6\.1\.0\/24: the pool is 10\.5\.0\.0\/16$/],
  ['leases --etcd-endpoints x', 2, /^loden: "x" is not an endpoint/],
  ['leases --etcd-endpoints http://127.0.0.1:1', 1, /^loden: etcd at 127\.0\.0\.1:1 does not answer/],
  ['cleanup --lease --offline', 2, /^loden: --lease needs etcd/],
  ['lab frobnicate', 2, /^loden: /],
];

for (const [line, exitCode, stderr] of refused) {
  test(`"loden ${line}" fails with one line and status ${exitCode}`, async (t) => {
    const result = await (await World.make(t, VXLAN)).loden(line);
    t.is(result.exitCode, exitCode);
    t.regex(result.stderr, stderr);
    t.false(result.stderr.includes('\n'));
  });
}

/** The help of a command, and of all commands below it. */
async function helps(world: World, words = ''): Promise<string[]> {
  const { stdout } = await world.loden(`${words} --help`);
  const commands = stdout.split('\nCommands:\n')[1]?.matchAll(/^ {2}([a-z-]+)/gm) ?? [];
  const below = await Promise.all([...commands].map(([, name]) => helps(world, `${words} ${name}`)));
  return [stdout, ...below.flat()];
}

test('every help fits 80 columns', async (t) => {
  const all = await helps(await World.make(t));
  t.true(all.length > 15);
  t.deepEqual(
    all.flatMap((help) => help.split('\n')).filter((line) => line.length > 80),
    [],
  );
});

test('help and version are no failures', async (t) => {
  const world = await World.make(t);
  const help = await world.loden('--help');
  t.is(help.exitCode, 0);
  for (const name of ['leases', 'config', 'plan', 'cleanup', 'lab', 'Exit status'])
    t.true(help.stdout.includes(name));
  t.regex((await world.loden('leases reserve --help')).stdout, /--etcd-endpoints/);
  t.regex((await world.loden('--version')).stdout, /^\d+\.\d+\.\d+/);
});
