/** A clock that is put forward and back by a day while lodend runs. */
import { waitFor } from '../../src/lab/wait.js';
import { labFor, labTest } from './lab-test.js';
import { leaseEntries } from './lease-keys.js';
import { losesNothing } from './traffic.js';

/** In the daemon's process each SIGUSR2 puts the clock elsewhere: a day ahead, a day behind, and back. */
const JUMPING = `
  const Real = Date;
  const jumps = [86_400_000, -86_400_000, 0];
  let jump = 0;
  process.on('SIGUSR2', () => {
    jump = jumps.shift();
    console.error('the clock jumps by', jump);
  });
  globalThis.Date = class extends Real {
    constructor(...given) {
      super(...(given.length === 0 ? [Real.now() + jump] : given));
    }
    static now() {
      return Real.now() + jump;
    }
  };`;

labTest('a clock that jumps by a day either way costs no lease, no packet and no word', async (t) => {
  const lab = await labFor(t, { daemon: false });
  const daemons = lab.hosts.map((host) =>
    host.makeDaemon('lodend', {
      kind: 'lodend',
      // A renewal is due each second.
      flags: ['--subnet-lease-ttl=3s'],
      nodeFlags: [`--import=data:text/javascript,${encodeURIComponent(JUMPING)}`],
    }),
  );
  for (const [index, host] of lab.hosts.entries()) {
    await daemons[index]!.start();
    await daemons[index]!.ready();
    const [, bridgeAddress] = /FLANNEL_SUBNET=(.*)/.exec(
      await host.exec(['cat', daemons[index]!.subnetFile]),
    )!;
    await host.attachContainer({ bridgeAddress: bridgeAddress!, mtu: 1450 });
  }
  await lab.untilAllReach();
  const before = await leaseEntries(lab);
  const logBefore = await daemons[0]!.log();
  await losesNothing(t, lab.hosts, async () => {
    for (const _ of [1, 2, 3]) {
      daemons[0]!.signal('SIGUSR2');
      const over = performance.now() + 3_500;
      await waitFor('more than a TTL', () => performance.now() > over);
    }
  });
  t.deepEqual(await leaseEntries(lab), before);
  const told = (await daemons[0]!.log()).slice(logBefore.length);
  t.is(told, [86_400_000, -86_400_000, 0].map((jump) => `the clock jumps by ${jump}\n`).join(''));
});
