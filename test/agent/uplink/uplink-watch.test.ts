import test from 'ava';
import type { UplinkRequest } from '../../../src/agent/uplink/uplink.js';
import { uplinkChanged } from '../../../src/agent/uplink/uplink-watch.js';
import type { Interface } from '../../../src/kernel/kernel.js';
import type { Route } from '../../../src/kernel/objects.js';
import { waitFor } from '../../../src/lab/wait.js';
import { masked, parsePrefix } from '../../../src/net/prefix.js';
import { uplink } from '../../backend/views.js';
import { FakeKernel } from '../../fakes/kernel.js';

function eth(name: string, addresses: readonly string[], more: Partial<Interface> = {}): Interface {
  const withNetwork = addresses.map((text) => ({
    address: text.split('/')[0]!,
    network: masked(parsePrefix(text)!),
  }));
  return { index: 2, name, mtu: 1500, up: true, addresses: withNetwork, ...more };
}

function defaultRoute(link: string): Route {
  return {
    kind: 'route',
    destination: '0.0.0.0/0',
    gateway: '192.0.2.254',
    link,
    onlink: false,
    type: 'unicast',
    protocol: 3,
    metric: 0,
  };
}

const ETH0 = eth('eth0', ['192.0.2.1/24']);
const NOTHING: UplinkRequest = { iface: [], ifaceRegex: [], ifaceCanReach: undefined, publicIp: undefined };

/** A watch on a host whose uplink is that of the other tests' views: eth0, 192.0.2.1/24, by the default route. */
function watching(request: Partial<UplinkRequest> = {}, resyncMs = 60_000) {
  const kernel = new FakeKernel([ETH0]);
  kernel.meddle.set(defaultRoute('eth0'));
  const stop = new AbortController();
  let looks = 0;
  const counting = {
    interfaces: () => {
      looks++;
      return kernel.interfaces();
    },
    routes: () => kernel.routes(),
    routeTo: (address: string) => kernel.routeTo(address),
    onHostChange: (changed: () => void, signal: AbortSignal) => kernel.onHostChange(changed, signal),
  };
  const input = { kernel: counting, request: { ...NOTHING, ...request }, uplink, resyncMs };
  const change = uplinkChanged(input, stop.signal);
  const looked = async () => {
    const before = looks;
    await waitFor('a look', () => looks > before);
  };
  return { kernel, change, stop, looked, set: kernel.meddle.setInterfaces };
}

const changes: [what: string, after: readonly Interface[], reason: string][] = [
  [
    'an address',
    [eth('eth0', ['192.0.2.8/24'])],
    'address 192.0.2.8, was 192.0.2.1; public IP 192.0.2.8, was 192.0.2.1',
  ],
  ['an MTU', [{ ...ETH0, mtu: 9000 }], 'MTU 9000, was 1500'],
  ['a device made again', [{ ...ETH0, index: 7 }], 'index 7, was 2'],
  [
    'one more network',
    [eth('eth0', ['192.0.2.1/24', '198.51.100.1/24'])],
    'networks 192.0.2.0/24 198.51.100.0/24, was 192.0.2.0/24',
  ],
];
for (const [what, after, reason] of changes)
  test(`${what} of the uplink is a change: ${reason}`, async (t) => {
    const { change, set, looked } = watching();
    await looked();
    set(after);
    t.is((await change).reason, reason);
  });

test('a renamed uplink is a change once the default route leaves by it', async (t) => {
  const { kernel, change, set } = watching();
  set([{ ...ETH0, name: 'lan0' }]);
  kernel.meddle.set(defaultRoute('lan0'));
  const { uplink: now, reason } = await change;
  t.is(reason, 'interface lan0, was eth0');
  t.is(now.name, 'lan0');
});

test('another default route is a change', async (t) => {
  const { kernel, change, set, looked } = watching();
  set([ETH0, eth('eth1', ['198.51.100.7/24'], { index: 3 })]);
  await looked();
  kernel.meddle.set(defaultRoute('eth1'));
  t.is((await change).uplink.address, '198.51.100.7');
});

test('what changed before anybody watched is a change', async (t) => {
  const kernel = new FakeKernel([{ ...ETH0, mtu: 1400 }]);
  const request = { ...NOTHING, iface: ['eth0'] };
  const { reason } = await uplinkChanged(
    { kernel, request, uplink, resyncMs: 60_000 },
    AbortSignal.timeout(5_000),
  );
  t.is(reason, 'MTU 1400, was 1500');
});

test('an uplink that is down, gone or without an address is waited for, and then compared', async (t) => {
  const { change, set, looked } = watching({ iface: ['eth0'] });
  let settled = false;
  change.then(
    () => {
      settled = true;
    },
    () => undefined,
  );
  for (const missing of [[{ ...ETH0, up: false }], [], [eth('eth0', [])], [ETH0]]) {
    set(missing);
    await looked();
    t.false(settled);
  }
  set([{ ...ETH0, index: 9 }]);
  t.is((await change).reason, 'index 9, was 2');
});

test('an address that is taken away and put again at once is no change', async (t) => {
  const { change, stop, set, looked } = watching();
  await looked();
  set([eth('eth0', ['198.51.100.1/24'])]);
  set([ETH0]);
  await looked();
  stop.abort('enough');
  t.is(await change.catch((reason) => reason), 'enough');
});

test('a second address of the same network is no change, nor are other interfaces', async (t) => {
  const { change, stop, set, looked } = watching();
  await looked();
  set([eth('eth0', ['192.0.2.1/24', '192.0.2.99/24']), eth('eth1', ['203.0.113.1/24'], { index: 3 })]);
  await looked();
  stop.abort('enough');
  t.is(await change.catch((reason) => reason), 'enough');
});

test('a change that nobody told of is seen at the next resync', async (t) => {
  const { kernel, change, looked } = watching({}, 50);
  await looked();
  kernel.uplinks[0] = { ...ETH0, mtu: 1400 };
  t.is((await change).reason, 'MTU 1400, was 1500');
});
