import test from 'ava';
import { stateObstacle } from '../../../src/agent/state/state-check.js';
import type { KnownState } from '../../../src/agent/state/state-file.js';
import { attributes, lease } from '../../lease/leases.js';

const OURS = 'a'.repeat(32);

function state(more: Partial<KnownState> = {}, identity: string | undefined = OURS): KnownState {
  const said = attributes('192.0.2.1', identity === undefined ? {} : { identity });
  return {
    etcdPrefix: '/coreos.com/network',
    configText: '{"Network":"10.5.0.0/16"}',
    lease: lease('10.5.34.0/24', '192.0.2.1', { attributes: said }),
    ttlSeconds: 86_400,
    renewed: { wallMs: 1_780_000_000_000, bootId: 'c0ffee', sinceBootMs: 4_711 },
    leases: new Map(),
    revision: 12,
    ...more,
  };
}

test('a state of this host can be begun with', (t) => {
  t.is(stateObstacle(state(), OURS), undefined);
});

test("so can one from when the lease was still a flanneld's", (t) => {
  const flanneld = lease('10.5.34.0/24', '192.0.2.1', { attributes: attributes('192.0.2.1') });
  t.is(stateObstacle(state({ lease: flanneld }), OURS), undefined);
});

test("another host's is not used", (t) => {
  t.regex(stateObstacle(state(), 'b'.repeat(32))!, /of the host with the identity a+, and ours is b+/);
});

test('a config that this version cannot use is no reason to end', (t) => {
  const configText = '{"Network":"10.5.0.0/16","Backend":{"Type":"carrier-pigeon"}}';
  t.regex(stateObstacle(state({ configText }), OURS)!, /carrier-pigeon/);
});

test('a lease that its own config has no room for is not used', (t) => {
  const configText = '{"Network":"10.6.0.0/16"}';
  t.is(stateObstacle(state({ configText }), OURS), 'its lease, 10.5.34.0/24, is not of its network config');
});
