import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import {
  formatSubnetFile,
  parseSubnetFile,
  readSubnetFile,
  writeSubnetFile,
} from '../../src/config/subnet-file.js';
import { formatPrefix, masked, parsePrefix } from '../../src/net/prefix.js';

const content = {
  network: parsePrefix('10.5.0.0/16')!,
  subnet: parsePrefix('10.5.72.0/24')!,
  mtu: 1450,
  ipMasq: false,
};

function read(text: string): { network: string; subnet: string; warnings: readonly string[] } {
  const { network, subnet, warnings } = parseSubnetFile(text, '/run/subnet.env');
  const shown = (prefix: typeof network) => (prefix ? formatPrefix(prefix) : '');
  return { network: shown(network), subnet: shown(subnet), warnings };
}

test("the text is flannel's, line by line", (t) => {
  t.is(
    formatSubnetFile(content),
    'FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.72.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n',
  );
});

test('what is written is read back', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'loden-subnet-file-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'deep', 'subnet.env');
  await writeSubnetFile(path, content);
  t.deepEqual(await readSubnetFile(path), { network: content.network, subnet: content.subnet, warnings: [] });
});

test('quotes, export, comments, blank lines and Windows line ends are taken as a shell would', (t) => {
  const text = `# by hand\r\n\r\nexport FLANNEL_NETWORK="10.5.0.0/16"\r\nFLANNEL_SUBNET='10.5.72.1/24' # ours\r\nX=\r\n`;
  t.deepEqual(read(text), { network: '10.5.0.0/16', subnet: '10.5.72.0/24', warnings: [] });
});

test('a list of one network is that network, a longer one is ignored', (t) => {
  const { network, subnet, warnings } = read(
    'FLANNEL_NETWORK=10.5.0.0/16,\nFLANNEL_SUBNET=10.5.1.1/24,10.6.1.1/24\n',
  );
  t.deepEqual([network, subnet], ['10.5.0.0/16', '']);
  t.deepEqual(warnings, [
    '/run/subnet.env:2: FLANNEL_SUBNET is not one network such as 10.5.34.1/24, ignored',
  ]);
});

test('garbage is ignored with a warning that names file and line', (t) => {
  const { subnet, warnings } = read('FLANNEL_SUBNET=10.5.1.1/24\n\0\0\0\nFLANNEL_NETWORK=10.5.0.0\n');
  t.is(subnet, '10.5.1.0/24');
  t.deepEqual(warnings, [
    '/run/subnet.env:2: not a line of the form NAME=value, ignored',
    '/run/subnet.env:3: FLANNEL_NETWORK is not one network such as 10.5.34.1/24, ignored',
  ]);
});

test('a file that is something else altogether costs four warnings, not one a line', (t) => {
  const { warnings } = read('\u0001\n'.repeat(10_000));
  t.is(warnings.length, 4);
  t.is(warnings[3], '/run/subnet.env: 9997 more lines are ignored');
});

test('a subnet outside the network is not believed', (t) => {
  const { network, subnet, warnings } = read('FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.6.1.1/24\n');
  t.deepEqual([network, subnet], ['10.5.0.0/16', '']);
  t.is(warnings.length, 1);
});

test('a missing file is as good as an empty one', async (t) => {
  t.deepEqual(await readSubnetFile('/nonexistent/subnet.env'), { warnings: [] });
});

test('a folder, a pipe that nobody writes to or what has no end costs a warning, and no time', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'loden-subnet-file-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const [pipe, endless] = [join(folder, 'pipe'), join(folder, 'endless')];
  await promisify(execFile)('mkfifo', [pipe]);
  await symlink('/dev/zero', endless);
  for (const path of [folder, pipe, endless])
    t.deepEqual(await readSubnetFile(path), { warnings: [`cannot read ${path}: it is not a file`] });
});

test('a write replaces whatever mode and text were there', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'loden-subnet-file-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'subnet.env');
  await writeFile(path, 'FLANNEL_SUBNET=10.9.9.1/24\n');
  await chmod(path, 0o600);
  await writeSubnetFile(path, content);
  t.deepEqual((await readSubnetFile(path)).subnet, content.subnet);
});

test('no text makes the reader throw', (t) => {
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(read(text).warnings)));
  t.pass();
});

test('every subnet comes back from its own text', (t) => {
  const prefixes = fc.record({
    address: fc.nat({ max: 0xffff_ffff }),
    length: fc.integer({ min: 8, max: 30 }),
  });
  fc.assert(
    fc.property(prefixes, (prefix) => {
      const subnet = masked(prefix);
      const text = formatSubnetFile({ ...content, network: subnet, subnet });
      t.deepEqual(parseSubnetFile(text, 'f'), { network: subnet, subnet, warnings: [] });
    }),
  );
});
