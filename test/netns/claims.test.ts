/** Many hosts that begin at once on a pool that has just enough subnets, and one more. */
import type { Daemon } from '../../src/lab/daemon.js';
import type { Lab } from '../../src/lab/lab.js';
import { waitFor } from '../../src/lab/wait.js';
import { labTest, sharedLab } from './lab-test.js';
import { leaseEntries } from './lease-keys.js';

const HOSTS = 20;

/** One namespace for all: alloc leaves the kernel alone, so hosts need no more than a public IP each. */
const theLab = sharedLab({
  hosts: 1,
  daemon: false,
  config: { SubnetMin: '10.77.1.0', SubnetMax: `10.77.${HOSTS}.0`, Backend: { Type: 'alloc' } },
});
const daemons: Daemon[] = [];

function makeDaemon(lab: Lab, number: number): Daemon {
  return lab.host('h1').makeDaemon(`host-${number}`, {
    kind: 'lodend',
    healthPort: 8000 + number,
    flags: ['--iface=eth0', `--public-ip=192.0.2.${number}`],
  });
}

labTest('twenty hosts claim at once from a pool of twenty, and each gets one', async (t) => {
  const lab = theLab();
  for (let number = 1; number <= HOSTS; number++) daemons.push(makeDaemon(lab, number));
  await Promise.all(daemons.map((daemon) => daemon.start()));
  await Promise.all(daemons.map((daemon) => daemon.ready()));
  const entries = await leaseEntries(lab);
  t.deepEqual(
    entries.map(({ key }) => key).sort(),
    Array.from({ length: HOSTS }, (_, index) => `10.77.${index + 1}.0-24`).sort(),
  );
  t.is(new Set(entries.map(({ value }) => JSON.parse(value).PublicIP)).size, HOSTS);
});

labTest(
  'one host more says that the pool is full, who goes first and what to do, and gets what is released',
  async (t) => {
    const lab = theLab();
    const late = makeDaemon(lab, HOSTS + 1);
    await late.start();
    await waitFor('it says so', async () => (await late.log()).includes('waiting for a lease'));
    const log = await late.log();
    t.regex(log, /none of the 20 subnets of length \/24 from 10\.77\.1\.0 to 10\.77\.20\.0 is free/);
    t.regex(log, /held by 20 leases \(0 reservations among them\)/);
    t.regex(log, /the first to expire: 10\.77\.\d+\.0\/24 of 192\.0\.2\.\d+ in 23 h 59 min, /);
    t.regex(log, /enlarge the pool in the network config: a wider Network than 10\.77\.0\.0\/16/);
    t.regex(await late.readiness(), /^HTTP\/1\.1 503 .*waiting for a lease/s);

    const leaver = daemons[6]!;
    await leaver.stop();
    const left = (await leaseEntries(lab)).find(({ value }) => JSON.parse(value).PublicIP === '192.0.2.7')!;
    await lab.loden('leases', 'release', left.key, '--yes');
    await late.ready({ deadlineMs: 5_000 });
    const now = (await leaseEntries(lab)).find(({ key }) => key === left.key)!;
    t.is(JSON.parse(now.value).PublicIP, `192.0.2.${HOSTS + 1}`);
  },
);
