/** What holds between containers of two hosts, whatever the engine; one test file per engine runs it. */

import { type EngineName, testOn } from './engines.js';
import { Pair, type PairOptions } from './pair.js';

type Setup = Omit<PairOptions, 'engine'>;

const SETUPS: readonly Setup[] = [
  { backend: 'host-gw', masquerader: 'docker' },
  { backend: 'vxlan', masquerader: 'loden' },
];

export function trafficTests(engine: EngineName): void {
  for (const setup of SETUPS) {
    const who = setup.masquerader === 'docker' ? 'Docker masquerades' : 'loden masquerades';
    testOn(engine).serial(
      `docker ${engine}, ${setup.backend}, ${who}: containers reach each other by their own addresses, come what may`,
      async (t) => {
        const pair = await Pair.up(t, { engine, ...setup });
        for (const { host } of pair.engines) {
          t.regex(await host.exec(['iptables', '-S', 'FORWARD']), /^-P FORWARD DROP$/m);
        }
        await pair.untilAllReach();

        await Promise.all(pair.engines.map((one) => one.restart()));
        await pair.revive();
        await pair.untilAllReach();

        await Promise.all(pair.engines.map((one) => one.kill()));
        await Promise.all(pair.engines.map((one) => one.start()));
        await pair.revive();
        await pair.untilAllReach();

        await Promise.all(pair.lab.hosts.map(({ daemon }) => daemon.restart()));
        await pair.untilAllReach();

        await Promise.all(pair.lab.hosts.map((host) => host.exec(['nft', 'flush', 'ruleset'])));
        await pair.untilAllReach({ world: !pair.worldNeedsDocker });
        await pair.lab.down();
      },
    );
  }
}
