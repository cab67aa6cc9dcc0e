/** etcd is away, in part or as a whole, for longer than leases live. */
import type { Lab } from '../../../src/lab/lab.js';
import { bothWays, type LinkFault } from '../../../src/lab/link-faults.js';
import type { Fault, FaultGroup, Scene } from '../fault.js';

/** What was sent into the void is sent again later and later, the longer it went on: TCP doubles its time. */
const AFTER_SILENCE = { wholeWithinSeconds: 15 };

/** Links between all hosts and all members. */
function etcdLinks(lab: Lab, faultsOf: (host: string, member: string) => LinkFault[]): LinkFault[] {
  return lab.hosts.flatMap(({ name }) =>
    lab.cluster.members.flatMap((member) => faultsOf(name, member.name)),
  );
}

async function disturbed({ lab, outlast }: Scene, faults: readonly LinkFault[]): Promise<void> {
  await lab.wire.disturb(...faults);
  await outlast();
  await lab.wire.disturb();
}

export const ETCD_STOPPED: Fault = {
  what: 'etcd is stopped for longer than a lease lives',
  async strike({ lab, outlast }) {
    await lab.etcd.stop();
    await outlast();
    await lab.etcd.start();
  },
  says: /etcd is out of reach; packets still flow/,
};

export const etcdGroup: FaultGroup = {
  name: 'etcd',
  backend: 'vxlan',
  lab: { hosts: 3, cluster: true },
  faults: [
    ETCD_STOPPED,
    {
      what: 'etcd hangs for longer than a lease lives',
      async strike({ lab, outlast }) {
        lab.etcd.pause();
        await outlast();
        lab.etcd.resume();
      },
    },
    {
      what: 'all members of etcd are killed and start again',
      async strike({ lab, pass }) {
        for (const { etcd } of lab.cluster.members) await etcd.kill();
        await pass(1);
        await lab.etcd.start();
      },
    },
    {
      what: 'the leader of etcd is killed, and comes back after longer than a lease lives',
      async strike({ lab, outlast }) {
        await (await lab.cluster.leader()).etcd.kill();
        await outlast();
        await lab.etcd.start();
      },
    },
    {
      what: 'a member of etcd loses its disk',
      async strike({ lab }) {
        const member = await lab.cluster.leader();
        await member.etcd.kill();
        await lab.cluster.leader();
        await lab.cluster.rejoin(member);
      },
    },
    {
      what: 'the members of etcd hang one after the other, each for longer than a lease lives',
      async strike({ lab, outlast }) {
        for (const { etcd } of lab.cluster.members) {
          etcd.pause();
          await outlast();
          etcd.resume();
          await lab.cluster.answered();
        }
      },
    },
    {
      what: 'the leader of etcd is cut off from the other members for longer than a lease lives',
      async strike(scene) {
        const leader = await scene.lab.cluster.leader();
        const others = scene.lab.cluster.members.filter((member) => member !== leader);
        await disturbed(
          scene,
          others.flatMap(({ name }) => bothWays(leader.name, name)),
        );
        await scene.lab.cluster.answered();
      },
    },
    {
      what: 'no host reaches etcd for longer than a lease lives',
      ...AFTER_SILENCE,
      strike: (scene) => disturbed(scene, etcdLinks(scene.lab, bothWays)),
    },
    {
      what: 'what hosts send to etcd is lost for longer than a lease lives',
      ...AFTER_SILENCE,
      strike: (scene) =>
        disturbed(
          scene,
          etcdLinks(scene.lab, (from, to) => [{ from, to }]),
        ),
    },
    {
      what: 'what etcd sends to hosts is lost for longer than a lease lives',
      ...AFTER_SILENCE,
      strike: (scene) =>
        disturbed(
          scene,
          etcdLinks(scene.lab, (to, from) => [{ from, to }]),
        ),
    },
    {
      // With a third, by chance, no renewal gets through in the two seconds that a lease lives here.
      what: 'a tenth of the packets between hosts and etcd is lost for longer than a lease lives',
      ...AFTER_SILENCE,
      strike: (scene) =>
        disturbed(
          scene,
          etcdLinks(scene.lab, (host, member) => bothWays(host, member, 10)),
        ),
    },
  ],
};
