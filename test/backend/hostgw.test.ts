import test from 'ava';
import { hostgw } from '../../src/backend/hostgw/hostgw.js';
import { UplinkError } from '../../src/errors.js';
import { describe } from '../../src/kernel/text.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { peerLease, uplink, viewOf } from './views.js';

const view = viewOf(undefined);

test('a peer is one route by way of its public IP', (t) => {
  const objects = hostgw.planPeer(view, peerLease('10.5.2.0/24', '192.0.2.2', 'host-gw'));
  t.deepEqual(objects.map(describe), ['10.5.2.0/24 via 192.0.2.2 dev eth0 proto 76 metric 1258']);
});

test('a peer that is not on-link is refused with its address and the uplink’s name', (t) => {
  const reason = hostgw.refusal(view, peerLease('10.5.2.0/24', '198.51.100.9', 'host-gw'));
  t.regex(reason ?? '', /198\.51\.100\.9 is not on-link at eth0/);
});

test('the first and the last address of the uplink’s network are no peer’s, where it has more than two', (t) => {
  const refusalAt = (publicIp: string, network: string) =>
    hostgw.refusal(
      { ...view, uplink: { ...uplink, networks: [parsePrefix(network)!] } },
      peerLease('10.5.2.0/24', publicIp, 'host-gw'),
    );
  t.regex(refusalAt('192.0.2.0', '192.0.2.0/24') ?? '', /192\.0\.2\.0 is not on-link/);
  t.regex(refusalAt('192.0.2.255', '192.0.2.0/24') ?? '', /192\.0\.2\.255 is not on-link/);
  t.is(refusalAt('192.0.2.255', '192.0.2.0/23'), undefined);
  t.is(refusalAt('192.0.2.0', '192.0.2.0/31'), undefined);
  t.is(refusalAt('192.0.2.1', '192.0.2.0/31'), undefined);
  t.is(refusalAt('192.0.2.9', '192.0.2.9/32'), undefined);
});

test('a public IP that is not the interface’s own is refused in flannel’s words', (t) => {
  const error = t.throws(() => hostgw.checkUplink(undefined, { ...uplink, publicIp: '203.0.113.5' }), {
    instanceOf: UplinkError,
  });
  t.true(error.message.includes('your PublicIP differs from interface IP'));
});

test('nothing is taken off the MTU', (t) => {
  t.is(hostgw.mtu(undefined, uplink), 1500);
});
