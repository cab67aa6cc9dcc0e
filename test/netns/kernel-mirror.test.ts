/** Many changes at once, changes by other hands, and the kernel's own: the mirror that events keep stays right. */
import anyTest, { type TestFn } from 'ava';
import type { Change } from '../../src/kernel/kernel.js';
import { type KernelObject, keyOf } from '../../src/kernel/objects.js';
import { command, describe } from '../../src/kernel/text.js';
import { ADDRESS, directRoute, LINK, OWNED, peer, peerNeighbour } from '../kernel/objects.js';
import { canIsolate, type IsolatedKernel, isolateKernel } from './isolated-kernel.js';
import { Mirror } from './mirror.js';

const test = anyTest as TestFn<IsolatedKernel>;
const netnsTest = canIsolate ? test.serial : test.skip;
const deadline = () => AbortSignal.timeout(10_000);
const add = (object: KernelObject): Change => ({ kind: 'add', object });

test.beforeEach(async (t) => {
  if (canIsolate) t.context = await isolateKernel();
});
test.afterEach.always((t) => t.context.dispose?.());

async function lines({ kernel }: IsolatedKernel): Promise<string[]> {
  return toLines(await kernel.dump({ ...OWNED, sysctls: ['net/ipv4/ip_forward'] }, deadline()));
}

function toLines(state: ReadonlyMap<string, KernelObject>): string[] {
  return Array.from(state.values(), (object) => `${object.kind} ${describe(object)}`).sort();
}

netnsTest('a burst of changes is told of without a gap', async (t) => {
  const { kernel } = t.context;
  const mirror = await Mirror.start(kernel, OWNED);
  const peers = Array.from({ length: 250 }, (_, n) => peer(n + 2)).flat();
  const report = await kernel.apply([LINK, ADDRESS, ...peers].map(add), deadline());
  t.deepEqual(report.failures, []);
  await mirror.until((state) => state.has(keyOf(peers.at(-1)!)));
  await kernel.apply(
    peers.slice(0, 300).map((object): Change => ({ kind: 'remove', object })),
    deadline(),
  );
  await mirror.until((state) => !state.has(keyOf(peers[299]!)));
  t.deepEqual(mirror.overflows, []);
  t.deepEqual(toLines(mirror.state), toLines(await kernel.dump({ ...OWNED, sysctls: [] }, deadline())));
  await mirror.stop();
});

netnsTest('each change does what its command does', async (t) => {
  const twin = await isolateKernel();
  t.teardown(twin.dispose);
  const other = { ...peerNeighbour(3), mac: '02:00:00:00:00:33' };
  const moved = {
    ...LINK,
    mtu: 1400,
    mac: '02:00:00:00:00:77',
    vxlan: { ...LINK.vxlan!, local: '192.168.9.7', learning: true },
  };
  const blackhole: KernelObject = {
    kind: 'route',
    destination: '10.5.9.0/24',
    metric: 5,
    type: 'blackhole',
    onlink: false,
    protocol: 76,
  };
  const changes: Change[] = [
    ...[LINK, ADDRESS, ...peer(2), ...peer(3), ...peer(4), directRoute(5), blackhole].map(add),
    add({ kind: 'sysctl', path: 'net/ipv4/ip_forward', value: '1' }),
    {
      kind: 'replace',
      object: directRoute(6, { metric: 1005, destination: '10.5.5.0/24' }),
      before: directRoute(5),
    },
    ...peer(4).map((object): Change => ({ kind: 'remove', object })),
    { kind: 'replace', object: moved, before: LINK },
    { kind: 'replace', object: other, before: peerNeighbour(3) },
  ];
  const report = await t.context.kernel.apply(changes, deadline());
  t.deepEqual(report.failures, []);
  await twin.shell(changes.map(command).join('\n'));
  const expected = await lines(twin);
  t.true(expected.length > 8);
  t.deepEqual(await lines(t.context), expected);
});

netnsTest('a dump shows the routes that ip shows', async (t) => {
  const { kernel, shell } = t.context;
  await shell(`for i in $(seq 1 200); do
    echo route add 10.5.$i.0/24 via 192.168.9.$((i % 200 + 3)) metric $((1000 + i)) proto 76
  done | ip -batch -`);
  const shown = JSON.parse(await shell('ip -j -N route show table main root 10.5.0.0/16')) as {
    dst: string;
    gateway: string;
    metric: number;
  }[];
  const dumped = [...(await kernel.dump(OWNED, deadline())).values()].filter(({ kind }) => kind === 'route');
  t.is(shown.length, 200);
  t.deepEqual(
    dumped.map(describe).sort(),
    shown.map((r) => `${r.dst} via ${r.gateway} dev eth0 proto 76 metric ${r.metric}`).sort(),
  );
});

netnsTest('neighbours that the kernel makes by itself are not told of', async (t) => {
  const { kernel, shell } = t.context;
  await kernel.apply([LINK, ADDRESS, ...peer(2)].map(add), deadline());
  const mirror = await Mirror.start(kernel, OWNED);
  await shell('ip neighbour add 10.5.77.1 lladdr 02:00:00:00:00:77 dev flannel.1 nud stale');
  await shell('ip neighbour add 224.0.0.9 lladdr 01:00:5e:00:00:09 dev flannel.1 nud noarp');
  await shell('ip neighbour add 10.5.78.1 lladdr 02:00:00:00:00:78 dev flannel.1 nud permanent');
  await mirror.until((state) => state.has('neighbour flannel.1 10.5.78.1'));
  t.false(mirror.state.has('neighbour flannel.1 10.5.77.1'));
  t.false(mirror.state.has('neighbour flannel.1 224.0.0.9'));
  t.deepEqual(toLines(mirror.state), toLines(await kernel.dump({ ...OWNED, sysctls: [] }, deadline())));
  await mirror.stop();
});

netnsTest('a learned neighbour in the place of a permanent one is told of', async (t) => {
  const { kernel, shell } = t.context;
  await kernel.apply([LINK, ADDRESS, ...peer(2)].map(add), deadline());
  const mirror = await Mirror.start(kernel, OWNED);
  await shell('ip neighbour replace 10.5.2.0 lladdr 02:00:00:00:00:77 dev flannel.1 nud stale');
  const learned = { ...peerNeighbour(2), mac: '02:00:00:00:00:77', permanent: false };
  await mirror.until((state) => describe(state.get(keyOf(learned))!) === describe(learned));
  t.deepEqual((await kernel.dump(OWNED, deadline())).get(keyOf(learned)), learned);
  await mirror.stop();
});

netnsTest('when the uplink goes down under our routes, it is said that they are gone', async (t) => {
  const { kernel, shell } = t.context;
  await kernel.apply([add(directRoute(3))], deadline());
  const mirror = await Mirror.start(kernel, OWNED);
  await shell('ip link set eth0 down');
  await mirror.until(() => mirror.overflows.some((reason) => reason === 'link eth0 went down'));
  t.deepEqual(await lines(t.context), ['sysctl net/ipv4/ip_forward=0']);
  await mirror.stop();
});

netnsTest('links that none of our routes leave by may come and go unmentioned', async (t) => {
  const { kernel, shell } = t.context;
  await kernel.apply([add(directRoute(3))], deadline());
  const mirror = await Mirror.start(kernel, OWNED);
  await shell(`ip link add veth1 type veth peer name veth2
    ip address add 192.168.77.1/24 dev veth1
    ip link set veth1 up
    ip address del 192.168.77.1/24 dev veth1
    ip link add br0 type bridge
    ip link set veth2 master br0
    ip link set veth2 nomaster
    ip link del veth1
    ip route add 10.5.4.0/24 via 192.168.9.4 proto 76 metric 1004`);
  await mirror.until((state) => state.has('route 10.5.4.0/24 1004'));
  t.deepEqual(mirror.overflows, []);
  await mirror.stop();
});

netnsTest('a second route of the same destination and metric calls for another look', async (t) => {
  const { kernel, shell } = t.context;
  await kernel.apply([add(directRoute(3))], deadline());
  const mirror = await Mirror.start(kernel, OWNED);
  await shell('ip route append 10.5.3.0/24 via 192.168.9.99 metric 1003');
  await mirror.until(() => mirror.overflows.length > 0);
  t.deepEqual((await kernel.dump(OWNED, deadline())).get(keyOf(directRoute(3))), directRoute(3));
  await mirror.stop();
});

netnsTest('notifications that the kernel had to drop are known to be lost', async (t) => {
  const { kernel, shell, pause, resume } = t.context;
  const mirror = await Mirror.start(kernel, OWNED);
  pause();
  // 40,000 notifications are more than the socket's 8 MB hold.
  await shell(`for action in add del; do
    seq 1 20000 | sed "s/.*/route $action blackhole 10.7.0.0\\/24 metric &/" | ip -batch -
  done
  ip route add 10.5.4.0/24 via 192.168.9.4 proto 76 metric 1004`);
  resume();
  await mirror.until(() => mirror.overflows.includes('the kernel dropped notifications'));
  t.deepEqual(await lines(t.context), [
    'route 10.5.4.0/24 via 192.168.9.4 dev eth0 proto 76 metric 1004',
    'sysctl net/ipv4/ip_forward=0',
  ]);
  await shell('ip route add 10.5.5.0/24 via 192.168.9.5 proto 76 metric 1005');
  await mirror.until((state) => state.has('route 10.5.5.0/24 1005'));
  await mirror.stop();
});
