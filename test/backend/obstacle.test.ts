import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { findObstacle } from '../../src/backend/udp/obstacle.js';

const WISH = { device: 'flannel0', address: '192.0.2.1', port: 8285, tunnelAddress: '10.5.1.0' };

/** 8285 is 205D. */
const SOCKETS = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  327: 0100007F:0143 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4710 2 0 0
  328: 010200C0:205D 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0 0
`;

interface FakeProcess {
  readonly name: string;
  /** What each open file is, by its number; undefined when they are not for our eyes. */
  readonly files?: Readonly<Record<string, string>>;
  /** The device that its file 7 is attached to. */
  readonly device?: string;
  /** Which network it is in; ours if not given. */
  readonly network?: string;
}

/** A /proc with these processes, by their ids. */
async function makeProc(
  t: ExecutionContext,
  processes: Readonly<Record<string, FakeProcess>>,
): Promise<string> {
  const proc = await mkdtemp(join(tmpdir(), 'proc-'));
  t.teardown(() => rm(proc, { recursive: true }));
  await mkdir(join(proc, 'net'));
  await writeFile(join(proc, 'net/udp'), SOCKETS);
  const self: FakeProcess = { name: 'lodend' };
  for (const [pid, { name, files, device, network = 'net:[1]' }] of Object.entries({ ...processes, self })) {
    const folder = join(proc, pid);
    await mkdir(join(folder, 'fdinfo'), { recursive: true });
    await mkdir(join(folder, 'ns'));
    await symlink(network, join(folder, 'ns/net'));
    await writeFile(join(folder, 'comm'), `${name}\n`);
    if (files) await mkdir(join(folder, 'fd'));
    for (const [fd, target] of Object.entries(files ?? {})) await symlink(target, join(folder, 'fd', fd));
    if (device) await writeFile(join(folder, 'fdinfo/7'), `pos:\t0\nflags:\t0104002\niff:\t${device}\n`);
  }
  return proc;
}

test('who has the port is found by its socket', async (t) => {
  const proc = await makeProc(t, {
    '100': { name: 'other', files: { '3': 'socket:[4710]', '4': '/dev/null' } },
    '101': { name: 'flanneld', files: { '3': 'socket:[4710]', '9': 'socket:[4711]' } },
  });
  t.is(await findObstacle(WISH, proc), 'flanneld, process 101');
});

test('who has the device is found by its file, and who has another device is not', async (t) => {
  const proc = await makeProc(t, {
    '100': { name: 'openvpn', files: { '7': '/dev/net/tun' }, device: 'flannel01' },
    '101': { name: 'mine', files: { '7': '/dev/net/tun' }, device: 'flannel0' },
  });
  t.is(await findObstacle({ ...WISH, port: 9 }, proc), 'mine, process 101');
});

test('who has a device of that name in another network is not in the way', async (t) => {
  const other = { name: 'lodend', files: { '7': '/dev/net/tun' }, device: 'flannel0', network: 'net:[2]' };
  t.is(await findObstacle(WISH, await makeProc(t, { '100': other })), undefined);
});

test('where files are not for our eyes a flanneld is suspected by its name', async (t) => {
  const proc = await makeProc(t, { '100': { name: 'sshd' }, '101': { name: 'flanneld' } });
  t.is(await findObstacle(WISH, proc), 'perhaps flanneld, process 101');
});

test('nobody is named where nobody is found', async (t) => {
  t.is(await findObstacle(WISH, await makeProc(t, { '100': { name: 'sshd', files: {} } })), undefined);
  t.is(await findObstacle(WISH, '/nowhere'), undefined);
});
