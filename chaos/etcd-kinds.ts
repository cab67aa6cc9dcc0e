/** What happens to etcd, its members and what they hold. No packet between containers may be lost for any of it. */
import { HOST_ROLE } from '../src/lab/etcd-cluster.js';
import { ETCD_PREFIX } from '../src/lab/etcd-service.js';
import { bothWays } from '../src/lab/link-faults.js';
import type { Disturbance, Kind } from './disturbance.js';
import type { Rig } from './rig.js';

const MEMBERS = ['e1', 'e2', 'e3'] as const;
const SUBNETS = `${ETCD_PREFIX}/subnets`;

type Act = (rig: Rig, member: string) => Promise<unknown> | unknown;

/** To one member. */
function ofMember(name: string, begin: Act, end: Act): Kind {
  return {
    name,
    part: 'etcd',
    costsPackets: false,
    prepare(random): Disturbance {
      const member = random.pick(MEMBERS);
      return {
        detail: member,
        begin: async (rig) => void (await begin(rig, member)),
        end: async (rig) => void (await end(rig, member)),
      };
    },
  };
}

/** To all of it. */
function ofAll(name: string, begin: (rig: Rig) => unknown, end: (rig: Rig) => unknown = () => {}): Kind {
  const disturbance: Disturbance = {
    begin: async (rig) => void (await begin(rig)),
    end: async (rig) => void (await end(rig)),
  };
  return { name, part: 'etcd', costsPackets: false, prepare: () => disturbance };
}

const etcd = (rig: Rig, member: string) => rig.lab.cluster.member(member).etcd;
const killAll = ({ lab }: Rig) => Promise.all(lab.cluster.members.map((member) => member.etcd.kill()));
const putConfig = ({ lab }: Rig) => lab.putConfig();

export const ETCD_KINDS: readonly Kind[] = [
  ofMember(
    'a member is killed',
    (rig, member) => etcd(rig, member).kill(),
    ({ lab }) => lab.cluster.start(),
  ),
  ofMember(
    'a member hangs',
    (rig, member) => etcd(rig, member).pause(),
    (rig, member) => etcd(rig, member).resume(),
  ),
  ofMember(
    'a member is cut off',
    (rig, member) => rig.disturbLinks(member, bothWays(member)),
    (rig, member) => rig.disturbLinks(member, []),
  ),
  ofMember(
    'what a member sends is lost',
    (rig, member) => rig.disturbLinks(member, [{ from: member }]),
    (rig, member) => rig.disturbLinks(member, []),
  ),
  ofMember(
    'a member loses its disk',
    (rig, member) => etcd(rig, member).kill(),
    async ({ lab }, member) => {
      await lab.cluster.leader();
      await lab.cluster.rejoin(lab.cluster.member(member));
    },
  ),
  ofAll('all members are killed', killAll, ({ lab }) => lab.cluster.start()),
  ofAll(
    'all members hang',
    ({ lab }) => lab.etcd.pause(),
    ({ lab }) => lab.etcd.resume(),
  ),
  ofAll('all leases are deleted', ({ lab }) => lab.etcd.ctl('del', '--prefix', `${SUBNETS}/`)),
  ofAll('everything is deleted', ({ lab }) => lab.etcd.ctl('del', '--prefix', ETCD_PREFIX), putConfig),
  ofAll(
    'all data are lost',
    ({ lab }) => lab.etcd.restore(),
    async (rig) => {
      await rig.lab.cluster.addUsers();
      await putConfig(rig);
    },
  ),
  ofAll(
    'a backup is restored',
    ({ lab }) => lab.etcd.save(`${lab.cluster.directory}/backup`),
    ({ lab }) => lab.etcd.restore(`${lab.cluster.directory}/backup`),
  ),
  ofAll(
    'the role is revoked',
    ({ lab }) => lab.etcd.ctl('role', 'revoke-permission', '--prefix=true', HOST_ROLE, SUBNETS),
    ({ lab }) => lab.etcd.ctl('role', 'grant-permission', '--prefix=true', HOST_ROLE, 'readwrite', SUBNETS),
  ),
  ofAll('history is compacted', ({ lab }) => lab.etcd.compact()),
];
