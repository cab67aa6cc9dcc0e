/** Folders that cannot be written: full, or read-only. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { waitFor } from '../../src/lab/wait.js';
import { labTest, occurrences, sharedLab } from './lab-test.js';

const theLab = sharedLab({ hosts: 1, daemon: false });
let made = 0;

/** A small disk of its own, for the length of a test. */
async function diskFor(t: ExecutionContext, options: string): Promise<string> {
  const host = theLab().host('h1');
  const folder = `${host.directory}/disk-${++made}`;
  await mkdir(folder, { recursive: true });
  await host.exec(['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  t.teardown(() => host.exec(['umount', folder]));
  return folder;
}

function makeDaemon(...flags: string[]) {
  made += 1;
  return theLab().host('h1').makeDaemon(`daemon-${made}`, { kind: 'lodend', flags });
}

async function fill(folder: string): Promise<void> {
  await writeFile(`${folder}/ballast`, Buffer.alloc(1 << 20)).catch(() => undefined);
}

labTest('a full state folder is told of once, and the network runs', async (t) => {
  const folder = await diskFor(t, 'size=16k');
  await fill(folder);
  const daemon = makeDaemon(`--state-dir=${folder}/state`);
  await daemon.start();
  t.teardown(() => daemon.kill());
  await daemon.ready();
  const says = (text: string) => waitFor(text, async () => (await daemon.log()).includes(text));
  await says('this host cannot keep an identity, going by its machine-id');
  await says('the last known state cannot be written, going on without error="cannot write ');
  await daemon.stop();
  t.is(occurrences(await daemon.log(), ' warn '), 2);
  t.deepEqual(await readdir(`${folder}/state`), []);

  await rm(`${folder}/ballast`);
  await daemon.start();
  await daemon.ready();
  await daemon.stop();
  t.deepEqual((await readdir(`${folder}/state`)).sort(), ['identity', 'last-known']);
});

for (const [what, options] of [
  ['full', 'size=8k,nr_inodes=4'],
  ['read-only', 'size=8k'],
] as const)
  labTest(`a subnet file on a ${what} disk ends lodend with the reason, and is what it was`, async (t) => {
    const folder = await diskFor(t, options);
    const old = 'FLANNEL_NETWORK=10.77.0.0/16\nFLANNEL_SUBNET=garbage\n';
    await writeFile(`${folder}/subnet.env`, old);
    if (what === 'full') await fill(folder);
    else await theLab().host('h1').exec(['mount', '-o', 'remount,ro', folder]);
    const daemon = makeDaemon(`--subnet-file=${folder}/subnet.env`);
    await daemon.start();
    t.is((await daemon.ended()).exitCode, 1);
    const log = await daemon.log();
    t.regex(log, /subnet\.env:2: FLANNEL_SUBNET is not one network such as 10\.5\.34\.1\/24, ignored/);
    t.regex(log.trimEnd().split('\n').at(-1)!, /cannot write .*\/subnet\.env: E(NOSPC|ROFS)/);
    t.is(await readFile(`${folder}/subnet.env`, 'utf8'), old);
    t.deepEqual(
      (await readdir(folder)).filter((name) => name !== 'ballast'),
      ['subnet.env'],
    );
  });

labTest('a subnet file that could not follow a change of the uplink is written when it can be', async (t) => {
  const folder = await diskFor(t, 'size=64k');
  const host = theLab().host('h1');
  const daemon = makeDaemon(`--subnet-file=${folder}/subnet.env`);
  await daemon.start();
  t.teardown(() => daemon.kill());
  const mtu = async () => /FLANNEL_MTU=(\d+)/.exec(await readFile(`${folder}/subnet.env`, 'utf8'))?.[1];
  await waitFor('the file', async () => (await mtu().catch(() => '')) === '1450');
  await host.exec(['mount', '-o', 'remount,ro', folder]);
  await host.ip('link set eth0 mtu 1400');
  t.teardown(() => host.ip('link set eth0 mtu 1500'));
  const says = (text: string) => waitFor(text, async () => (await daemon.log()).includes(text));
  await says('cannot write the subnet file, trying again error="cannot write ');
  t.is(await mtu(), '1450');
  await host.exec(['mount', '-o', 'remount,rw', folder]);
  await waitFor('the file', async () => (await mtu()) === '1350');
  t.is(occurrences(await daemon.log(), 'cannot write the subnet file'), 1);
});
